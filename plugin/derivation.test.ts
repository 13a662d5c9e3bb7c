import { expect, test } from 'vitest';
import { deriveKek, keyIdOf, largestNumber, parseKeyId, seedLength } from './derivation.ts';

const seed = Buffer.alloc(seedLength, 7);

test('a key is the same wherever it is derived', () => {
  const sealed = deriveKek(seed, 3, 2).seal(Buffer.from('x'));
  const again = deriveKek(Buffer.from(seed), 3, 2);
  expect(again.open(sealed, again.annotations)).toEqual(Buffer.from('x'));
  expect(again.keyId).toBe(keyIdOf(seed, 3, 2));
  // By another HKDF-SHA256; what is in etcd refers to it for ever.
  expect(keyIdOf(seed, 1, 1)).toBe('1.1.a0bf883ec4b340c0a9729203b0db3f82');
});

test('no two seeds, numbers or versions give one ID or one key', () => {
  const keks = [Buffer.alloc(seedLength, 8), seed].flatMap((of) =>
    [0, 1, 2, 11, 111].flatMap((number) => [1, 2, 11, 111].map((version) => deriveKek(of, number, version))),
  );
  expect(new Set(keks.map(({ keyId }) => keyId)).size).toBe(keks.length);
  const [first, ...others] = keks;
  const sealed = first?.seal(Buffer.from('x')) ?? Buffer.alloc(0);
  for (const kek of others) expect(() => kek.open(sealed, kek.annotations)).toThrow();
});

test('key IDs can be read, and are short', () => {
  const keyId = keyIdOf(seed, largestNumber, largestNumber);
  expect(keyId).toMatch(/^[ -~]{1,64}$/);
  expect(parseKeyId(keyId)).toEqual({ number: largestNumber, version: largestNumber });
  expect(parseKeyId(keyIdOf(seed, 0, 1))).toEqual({ number: 0, version: 1 });
});

const digits = '0123456789abcdef'.repeat(2);

test.each([
  '',
  'kek-1',
  '1',
  '1.1',
  `1.0.${digits}`,
  `01.1.${digits}`,
  `1.1.${digits}0`,
  `-1.1.${digits}`,
  `1.1e3.${digits}`,
])("'%s' is no key ID", (keyId) => {
  expect(parseKeyId(keyId)).toBeUndefined();
});
