import { randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, hasCode, messageOf } from '../common/failure.ts';
import { writeFileWhole } from '../common/files.ts';
import { seedLength } from './derivation.ts';
import { withFolderLock } from './folderLock.ts';
import { type Keystore, KeystoreError, parseKeystore, renderKeystore } from './keystore.ts';

const othersMayRead = 0o077;

const keystorePath = (directory: string): string => join(directory, 'keystore.json');

const read = async (path: string): Promise<string | undefined> => {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { mode } = await file.stat();
    if ((mode & othersMayRead) !== 0) {
      throw new Failure({
        tried: `use keystore ${path}`,
        got: `others than its owner may use it (mode ${(mode & 0o777).toString(8)})`,
        next: `if nobody else can have read it: chmod 600 ${path}`,
      });
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
};

const load = async (path: string): Promise<Keystore | undefined> => {
  const text = await read(path);
  if (text === undefined) return undefined;
  try {
    return parseKeystore(text);
  } catch (cause) {
    if (!(cause instanceof KeystoreError)) throw cause;
    throw new Failure({
      tried: `read keystore ${path}`,
      got: cause.message,
      next: 'put the file back from a backup; only if no data is encrypted under its keys, remove it and a new one is made',
      cause,
    });
  }
};

/** Makes the file unless somebody else just did: link(2) never replaces, and what it names is already whole and on the disk. */
const create = async (path: string): Promise<void> => {
  const mine = `${path}.${randomBytes(4).toString('hex')}.new`;
  await writeFileWhole(mine, renderKeystore({ seed: randomBytes(seedLength), versions: new Map() }));
  try {
    await link(mine, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(mine, { force: true });
  }
  // Before the first ciphertext goes out, its key must survive a power cut.
  const entry = await open(dirname(path), 'r');
  await entry.sync().finally(() => entry.close());
};

const asFailure = (path: string, error: unknown): Failure =>
  error instanceof Failure
    ? error
    : new Failure({
        tried: `open or make keystore ${path}`,
        got: messageOf(error),
        next: 'see that the directory is on a writable disk with hard links, and that this user may write there',
        cause: error,
      });

/**
 * What `<directory>/keystore.json` holds; the first start makes the file with a new seed. Plugins that start at the
 * same time on the same directory end up with the same seed.
 * @throws Failure where there is a file that cannot be used: it is never replaced.
 */
export const openKeystore = async (directory: string): Promise<Keystore> => {
  const path = keystorePath(directory);
  try {
    const existing = await load(path);
    if (existing !== undefined) return existing;
    await create(path);
    const made = await load(path);
    if (made === undefined) throw new Error('it was removed just after it had been made');
    return made;
  } catch (error) {
    throw asFailure(path, error);
  }
};

/**
 * Has it on the disk that `version` of key `number` is served, before it is; a higher one that is there stays.
 * @returns the version to serve.
 * @throws Failure where the file is gone or is not that of `seed` any more: it is left as it is.
 */
export const rememberVersion = async (
  directory: string,
  seed: Buffer,
  number: number,
  version: number,
): Promise<number> => {
  const path = keystorePath(directory);
  try {
    return await withFolderLock(directory, async () => {
      const stored = await load(path);
      if (stored === undefined || !stored.seed.equals(seed)) {
        throw new Failure({
          tried: `note version ${version} of key ${number} in keystore ${path}`,
          got: stored === undefined ? 'it was removed' : 'it was replaced by another',
          next: 'put back the one that this plugin started with',
        });
      }
      const known = stored.versions.get(number) ?? 1;
      if (known >= version) return known;
      await writeFileWhole(path, renderKeystore({ seed, versions: new Map(stored.versions).set(number, version) }));
      return version;
    });
  } catch (error) {
    throw asFailure(path, error);
  }
};
