import { deriveKek, parseKeyId } from './derivation.ts';
import type { Kek } from './kek.ts';

/** All versions of one key. */
export interface Keyring {
  /** Seals all that is new. */
  readonly writeKek: Kek;
  /** Any version that has ever sealed, here or on a node that was told of a newer one first. */
  find(keyId: string): Kek | undefined;
  /** Lets a newer version write; an older one changes nothing. */
  raise(version: number): void;
}

/** How far a node that was told earlier may be ahead, versions. */
const farthestAhead = 16;

export const createKeyring = (seed: Uint8Array, number: number, version: number): Keyring => {
  const byId = new Map<string, Kek>();
  const derive = (of: number): Kek => {
    const kek = deriveKek(seed, number, of);
    byId.set(kek.keyId, kek);
    return kek;
  };
  let newest = version;
  let writeKek = derive(version);
  return {
    get writeKek() {
      return writeKek;
    },
    find: (keyId) => {
      const known = byId.get(keyId);
      if (known !== undefined) return known;
      const named = parseKeyId(keyId);
      if (named === undefined || named.number !== number || named.version > newest + farthestAhead) return undefined;
      const kek = derive(named.version);
      return kek.keyId === keyId ? kek : undefined;
    },
    raise: (to) => {
      if (to <= newest) return;
      newest = to;
      writeKek = derive(to);
    },
  };
};
