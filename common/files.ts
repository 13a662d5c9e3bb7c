import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './failure.ts';

/**
 * Writes a file so that a reader, or a crash at any moment, finds the old content or the new one and never a part:
 * a sibling is written, flushed to the disk and renamed over it, and the folder's entry is flushed too.
 * Missing folders are made (0700).
 * @param mode permission bits, 0600 unless told.
 */
export const writeFileWhole = async (path: string, content: string | Uint8Array, mode = 0o600): Promise<void> => {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const entry = await open(folder, 'r');
  await entry.sync().finally(() => entry.close());
};

/** A file's text, or undefined where there is none. */
export const readFileIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};
