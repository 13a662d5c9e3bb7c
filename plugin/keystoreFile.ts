import { randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, hasCode, messageOf } from '../common/failure.ts';
import { writeFileWhole } from '../common/files.ts';
import { kekLength } from './kek.ts';
import { KeystoreError, parseKeystore, renderKeystore, type StoredKeks } from './keystore.ts';

const othersMayRead = 0o077;

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

const load = async (path: string): Promise<StoredKeks | undefined> => {
  const text = await read(path);
  if (text === undefined) return undefined;
  try {
    return parseKeystore(text);
  } catch (cause) {
    if (!(cause instanceof KeystoreError)) throw cause;
    throw new Failure({
      tried: `read keystore ${path}`,
      got: cause.message,
      next: 'put the file back from a backup; only if no data is encrypted under its keys, remove it and a new key is made',
      cause,
    });
  }
};

/** Makes the file unless somebody else just did: link(2) never replaces, and what it names is already whole and on the disk. */
const create = async (path: string): Promise<void> => {
  const mine = `${path}.${randomBytes(4).toString('hex')}.new`;
  await writeFileWhole(mine, renderKeystore([{ key: randomBytes(kekLength), createdAt: new Date().toISOString() }]));
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

/**
 * The key-encryption keys in `<directory>/keystore.json`; the first start makes the file with one new key. Plugins
 * that start at the same time on the same directory end up with the same key.
 * @throws Failure where there is a file that cannot be used: it is never replaced.
 */
export const openKeystore = async (directory: string): Promise<StoredKeks> => {
  const path = join(directory, 'keystore.json');
  try {
    const existing = await load(path);
    if (existing !== undefined) return existing;
    await create(path);
    const made = await load(path);
    if (made === undefined) throw new Error('it was removed just after it had been made');
    return made;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure({
      tried: `open or make keystore ${path}`,
      got: messageOf(error),
      next: 'see that the directory is on a writable disk with hard links, and that this user may write there',
      cause: error,
    });
  }
};
