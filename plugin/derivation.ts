import { hkdfSync } from 'node:crypto';
import { createKek, type Kek, kekLength } from './kek.ts';

/** Length of the seed that all keys of a KMS are derived from, bytes. */
export const seedLength = 32;

/** Bounds numbers and versions, so that a key ID has 54 bytes at most. */
export const largestNumber = 0x7fffffff;

const keyIdLength = 16;

const derive = (seed: Uint8Array, info: string, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', seed, Buffer.alloc(0), info, length));

/**
 * Names one version of a key: `<number>.<version>.<32 hexadecimal digits>`. It tells nothing of the key, and no other
 * number, version or seed gives the same.
 */
export const keyIdOf = (seed: Uint8Array, number: number, version: number): string =>
  `${number}.${version}.${derive(seed, `key-id/${number}/${version}`, keyIdLength).toString('hex')}`;

/** The number and version that a key ID speaks of; undefined where it is not written as one. */
export const parseKeyId = (keyId: string): { readonly number: number; readonly version: number } | undefined => {
  const [, number, version] = /^(0|[1-9]\d{0,9})\.([1-9]\d{0,9})\.[0-9a-f]{32}$/.exec(keyId) ?? [];
  return version === undefined ? undefined : { number: Number(number), version: Number(version) };
};

/** The key-encryption key of one version of a key. Whoever has the seed derives the same. */
export const deriveKek = (seed: Uint8Array, number: number, version: number): Kek =>
  createKek(keyIdOf(seed, number, version), derive(seed, `kek/${number}/${version}`, kekLength));
