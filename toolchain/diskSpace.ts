import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure, hasCode } from '../common/failure.ts';

/** A folder that building fills. */
export interface Place {
  /** The environment variable that moves it. */
  readonly variable: string;
  readonly path: string;
  /** What all programs together need there, in bytes, measured with a margin. */
  readonly needs: number;
}

const gigabyte = 1e9;

/** What building every program takes: the programs and what is linked meanwhile, Go's build cache, the modules' sources. */
export const places = (cache: string, go?: { readonly cache: string; readonly modules: string }): readonly Place[] => [
  { variable: 'UNDERSTUDY_CACHE', path: cache, needs: 3 * gigabyte },
  ...(go
    ? [
        { variable: 'GOCACHE', path: go.cache, needs: 4 * gigabyte },
        { variable: 'GOMODCACHE', path: go.modules, needs: 5 * gigabyte },
      ]
    : []),
];

export const isFullDisk = (error: unknown): boolean => hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT');

/** Whether a compiler or linker complains of a full disk, in the words of C's strerror. */
export const saysFullDisk = (output: string): boolean => /no space left on device|disk quota exceeded/i.test(output);

/** Bytes that can still be written below `path`, which need not be there yet. */
const freeBytes = async (path: string): Promise<number> => {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) throw error;
    return freeBytes(dirname(path));
  }
};

const inGigabytes = (bytes: number): string => `${(bytes / gigabyte).toFixed(1)} GB`;

/** Says which folder is short of what, and how to move it. */
export const fullDiskFailure = async (tried: string, folders: readonly Place[], cause?: unknown): Promise<Failure> => {
  const free = await Promise.all(folders.map(({ path }) => freeBytes(path)));
  const lines = folders.map(
    ({ variable, path, needs }, index) =>
      `${path} has ${inGigabytes(free[index] ?? 0)} free of the ${inGigabytes(needs)} that a first run needs (${variable})`,
  );
  return new Failure({
    tried,
    got: `no space left on device\n    ${lines.join('\n    ')}`,
    next: `free some space, or put a folder on another disk by its variable (export ${folders.map(({ variable }) => `${variable}=…`).join(' or ')}), then run again: what is built already is kept`,
    cause,
  });
};
