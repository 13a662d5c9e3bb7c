import { type FSWatcher, unwatchFile, watch, watchFile } from 'node:fs';
import { join } from 'node:path';
import { readFileIfThere } from '../common/files.ts';

export interface WishWatch {
  close(): void;
}

/** How often the file is looked at where its folder tells of no change: it was replaced, its file system has no inotify, or the kernel grants no watch; milliseconds. */
const lookEveryMs = 1_000;

/** Undefined where the kernel grants no watch (the limits of inotify are for all processes of a user together). */
const watchFolder = (directory: string, onChange: () => void): FSWatcher | undefined => {
  try {
    return watch(directory, onChange).on('error', () => {});
  } catch {
    return undefined;
  }
};

/**
 * Tells the text of `<directory>/wish.json`, now and after each change, however it is changed; undefined where there is no file.
 * Resolves when it has been told for the first time.
 * @param onError told why the file cannot be read; it is tried again.
 */
export const watchWish = async (
  directory: string,
  onText: (text: string | undefined) => void,
  onError: (error: unknown) => void,
): Promise<WishWatch> => {
  const path = join(directory, 'wish.json');
  let told: { readonly text: string | undefined } | undefined;
  let looking = false;
  let changedMeanwhile = false;
  const look = async (): Promise<void> => {
    changedMeanwhile = looking;
    if (looking) return;
    looking = true;
    try {
      do {
        changedMeanwhile = false;
        const text = await readFileIfThere(path);
        if (told !== undefined && told.text === text) continue;
        told = { text };
        onText(text);
      } while (changedMeanwhile);
    } catch (error) {
      onError(error);
    } finally {
      looking = false;
    }
  };
  // Before the first look, so that no change falls between the two.
  const watcher = watchFolder(directory, look);
  watchFile(path, { interval: lookEveryMs }, look);
  await look();
  return {
    close: () => {
      watcher?.close();
      unwatchFile(path, look);
    },
  };
};
