import { describe, expect, test } from 'vitest';
import { decodeString, FieldWriter, MalformedMessage, readFields } from './wire.ts';

const fieldsOf = (...bytes: readonly number[]): readonly (readonly [number, string])[] => {
  const fields: (readonly [number, string])[] = [];
  readFields(Buffer.from(bytes), (number, value) => fields.push([number, value.toString('hex')]));
  return fields;
};

describe('readFields', () => {
  test('visits length-delimited fields in their order, repeated ones too', () => {
    expect(fieldsOf(0x0a, 2, 0xaa, 0xbb, 0x12, 0, 0x0a, 1, 0xcc)).toEqual([
      [1, 'aabb'],
      [2, ''],
      [1, 'cc'],
    ]);
  });

  test('skips fields of other kinds', () => {
    const varint = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    const fixed64 = [0x11, 1, 2, 3, 4, 5, 6, 7, 8];
    const fixed32 = [0x1d, 1, 2, 3, 4];
    expect(fieldsOf(...varint, ...fixed64, ...fixed32, 0x22, 1, 9)).toEqual([[4, '09']]);
  });

  test.each([
    ['a cut length', [0x0a]],
    ['a cut tag', [0x8a]],
    ['a length beyond the end', [0x0a, 3, 1, 2]],
    ['a length of 2^32 and 1', [0x0a, 0x81, 0x80, 0x80, 0x80, 0x10, 1]],
    ['a number of eleven bytes', [0x08, ...Array<number>(10).fill(0xff), 0x01]],
    ['field number 0', [0x02, 0]],
    ['a group', [0x0b, 0x0c]],
    ['a cut fixed64', [0x09, 1]],
  ])('refuses %s', (_name, bytes) => {
    expect(() => fieldsOf(...bytes)).toThrow(MalformedMessage);
  });
});

test('strings must be UTF-8', () => {
  expect(decodeString(Buffer.from('Schlüssel'))).toBe('Schlüssel');
  expect(() => decodeString(Buffer.from([0xc3, 0x28]))).toThrow(MalformedMessage);
});

test('FieldWriter leaves out what is empty and grows as needed', () => {
  expect(new FieldWriter().bytes(1, Buffer.alloc(0)).string(2, '').finish()).toHaveLength(0);
  const long = 'ä'.repeat(1000);
  const written = new FieldWriter().string(1, 'a').string(2, long).bytes(3, Buffer.from('b')).finish();
  const read: string[] = [];
  readFields(written, (number, value) => read.push(`${number}${value}`));
  expect(read).toEqual(['1a', `2${long}`, '3b']);
});
