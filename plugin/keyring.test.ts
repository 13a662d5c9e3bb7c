import { expect, test } from 'vitest';
import { deriveKek, keyIdOf } from './derivation.ts';
import { createKeyring } from './keyring.ts';

const seed = Buffer.alloc(32, 7);
const opens = (keyring: ReturnType<typeof createKeyring>, version: number): boolean => {
  const kek = deriveKek(seed, 1, version);
  const found = keyring.find(kek.keyId);
  return found?.open(kek.seal(Buffer.from('x')), kek.annotations).toString() === 'x';
};

test('the version that is served writes; all before it are read', () => {
  const keyring = createKeyring(seed, 1, 40);
  expect(keyring.writeKek.keyId).toBe(keyIdOf(seed, 1, 40));
  for (let version = 1; version <= 40; version++) expect(opens(keyring, version), `${version}`).toBe(true);
});

test('what a node that was told earlier has written is read, up to 16 versions ahead', () => {
  const keyring = createKeyring(seed, 1, 3);
  expect(opens(keyring, 19)).toBe(true);
  expect(opens(keyring, 20)).toBe(false);
  expect(keyring.writeKek.keyId).toBe(keyIdOf(seed, 1, 3));
});

test('a raise changes what writes at once, and never goes back', () => {
  const keyring = createKeyring(seed, 1, 1);
  keyring.raise(3);
  expect(keyring.writeKek.keyId).toBe(keyIdOf(seed, 1, 3));
  keyring.raise(2);
  expect(keyring.writeKek.keyId).toBe(keyIdOf(seed, 1, 3));
  expect(opens(keyring, 1)).toBe(true);
  expect(opens(keyring, 19)).toBe(true);
});

test('it has no key of another number, of another seed, or of no name', () => {
  const keyring = createKeyring(seed, 1, 1);
  expect(keyring.find(keyIdOf(seed, 2, 1))).toBeUndefined();
  expect(keyring.find(keyIdOf(Buffer.alloc(32, 8), 1, 1))).toBeUndefined();
  expect(keyring.find('')).toBeUndefined();
});
