import { describe, expect, it } from 'vitest';
import { parseStoredValue } from './encryptedObject.ts';
import { isProven, reportOn } from './verify.ts';

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

describe('reportOn', () => {
  const stored = [
    { key: '/registry/secrets/a/x', value: parseStoredValue(kmsValue('1_secrets', 'kek-a')) },
    { key: '/registry/secrets/a/y', value: parseStoredValue(kmsValue('2_secrets', 'kek-b')) },
    { key: '/registry/secrets/a/z', value: parseStoredValue(Buffer.from('plain')) },
  ];

  it('counts by key and KEK, and names what is not under the current key', () => {
    expect(reportOn(stored, '1_secrets')).toEqual({
      checked: 3,
      encrypted: 2,
      plaintext: 1,
      byKey: { '1_secrets': 1, '2_secrets': 1 },
      byKekID: { 'kek-a': 1, 'kek-b': 1 },
      wrong: ['/registry/secrets/a/y', '/registry/secrets/a/z'],
    });
  });

  it('proves nothing by an empty resource, a wrong object or a failed round trip', () => {
    const good = reportOn(stored.slice(0, 1), '1_secrets');
    expect(isProven({ resources: { secrets: good }, roundTrip: true })).toBe(true);
    expect(isProven({ resources: { secrets: good }, roundTrip: false })).toBe(false);
    expect(isProven({ resources: { secrets: reportOn([], '1_secrets') }, roundTrip: true })).toBe(false);
    expect(isProven({ resources: { secrets: reportOn(stored, '1_secrets') }, roundTrip: true })).toBe(false);
  });
});
