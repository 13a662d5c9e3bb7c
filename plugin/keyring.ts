import { createKek, type Kek } from './kek.ts';
import type { StoredKeks } from './keystore.ts';

/** The keys of one plugin. */
export interface Keyring {
  /** Seals all that is new. */
  readonly writeKek: Kek;
  /** Any key that has ever sealed. */
  find(keyId: string): Kek | undefined;
}

export const createKeyring = (stored: StoredKeks): Keyring => {
  const [first, ...others] = stored;
  const oldest = createKek(first.key);
  const younger = others.map(({ key }) => createKek(key));
  const byId = new Map([oldest, ...younger].map((kek) => [kek.keyId, kek]));
  return { writeKek: younger.at(-1) ?? oldest, find: (keyId) => byId.get(keyId) };
};
