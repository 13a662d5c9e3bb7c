import type { NodeSettings } from './flags.ts';
import { openKeystore, rememberVersion } from './keystoreFile.ts';
import { checkVaultFiles, vaultSeed } from './vault.ts';
import type { VaultSettings } from './vaultFlags.ts';

/** What keys are derived from, and which of their versions have been served. */
export interface KeySource {
  readonly seed: Buffer;
  /** The highest version of a key that has been served. */
  version(number: number): number;
  /**
   * Has it on the disk that a version is served, before it is.
   * @throws Failure
   */
  raise(number: number, version: number): Promise<void>;
}

const keystoreSource = async ({ keystoreDir }: NodeSettings): Promise<KeySource> => {
  const { seed, versions: stored } = await openKeystore(keystoreDir);
  const versions = new Map(stored);
  return {
    seed,
    version: (number) => versions.get(number) ?? 1,
    raise: async (number, version) => {
      versions.set(number, await rememberVersion(keystoreDir, seed, number, version));
    },
  };
};

const vaultSource = async (settings: VaultSettings): Promise<KeySource> => {
  await checkVaultFiles(settings);
  return { seed: vaultSeed(settings.key), version: () => 1, raise: async () => {} };
};

/** @throws Failure where the keystore or a file that was named cannot be used. */
export const openKeySource = (keys: NodeSettings | VaultSettings): Promise<KeySource> =>
  keys.kind === 'node' ? keystoreSource(keys) : vaultSource(keys);
