import { describe, expect, it } from 'vitest';
import { parseStoredValue } from './encryptedObject.ts';

const field = (number: number, content: Buffer | string): Buffer => {
  const bytes = Buffer.from(content);
  if (bytes.length > 127) throw new Error('too long for a one-byte length');
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
};
const kmsValue = (key: string, kekID: string): Buffer =>
  Buffer.concat([
    Buffer.from(`k8s:enc:kms:v2:${key}:`),
    field(1, Buffer.alloc(100, 0xff)),
    field(2, kekID),
    field(3, 'dek'),
    // encryptedDEKSourceType, a number.
    Buffer.from([5 * 8, 1]),
  ]);

describe('parseStoredValue', () => {
  it('reads the key and the KEK of a KMS v2 value', () => {
    expect(parseStoredValue(kmsValue('1_secrets', 'kek-a'))).toEqual({
      encrypted: true,
      key: '1_secrets',
      kekID: 'kek-a',
    });
  });

  it('finds the KEK wherever its field is', () => {
    const value = Buffer.concat([Buffer.from('k8s:enc:kms:v2:1_secrets:'), Buffer.from([40, 1]), field(2, 'kek-b')]);
    expect(parseStoredValue(value)).toMatchObject({ kekID: 'kek-b' });
  });

  it('reads the key of other kinds', () => {
    expect(parseStoredValue(Buffer.from('k8s:enc:aescbc:v1:3:abc'))).toEqual({ encrypted: true, key: '3' });
  });

  it('tells plain text', () => {
    expect(parseStoredValue(Buffer.from('k8s\0\n\f\n\x02v1'))).toEqual({ encrypted: false });
    expect(parseStoredValue(Buffer.alloc(0))).toEqual({ encrypted: false });
  });

  it('refuses a value that is cut short', () => {
    expect(() => parseStoredValue(Buffer.from('k8s:enc:kms:v2:1_secrets:\x0a'))).toThrow(RangeError);
  });
});
