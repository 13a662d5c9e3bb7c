import { createHash } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { goBuildArguments } from './goBuild.ts';
import type { Architecture, Group, Program } from './recipe.ts';

/**
 * The folder of one program in the cache: `<program>-<version>-linux-<architecture>-<digest of how it is made>`, so
 * that a change of a pin, a flag or a source never meets an older program.
 * @param pins text of the go.mod and go.sum that pin its group.
 */
export const cacheKey = (program: Program, group: Group, arch: Architecture, pins: string): string => {
  const { build } = group;
  const command = build?.kind === 'go' && program.package ? goBuildArguments(build, [program.package], '') : undefined;
  const made = { build, command, release: program.release };
  const digest = createHash('sha256').update(JSON.stringify(made)).update('\0').update(pins).digest('hex');
  return `${program.name}-${group.version}-linux-${arch}-${digest.slice(0, 12)}`;
};

/** The text of a module's go.mod and go.sum. */
export const readPins = async (moduleDir: string): Promise<string> => {
  const texts = await Promise.all(['go.mod', 'go.sum'].map((file) => readFile(join(moduleDir, file), 'utf8')));
  return texts.join('\0');
};

/** Makes what was written to a file or a folder outlive a crash of the machine. */
const flush = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
};

/**
 * Moves a finished program, or a file that is only read, into the cache, as a folder that is there whole or not at all.
 * @param made the program, on the cache's file system; it is moved.
 * @param path where it belongs: `<cache>/<key>/<program>`.
 */
export const install = async (made: string, path: string, mode: 0o755 | 0o644 = 0o755): Promise<void> => {
  const staging = `${made}.installing`;
  await mkdir(staging, { mode: 0o755 });
  const staged = join(staging, basename(path));
  await rename(made, staged);
  await chmod(staged, mode);
  await flush(staged);
  await flush(staging);
  await rm(dirname(path), { recursive: true, force: true });
  await rename(staging, dirname(path));
  await flush(dirname(dirname(path)));
};
