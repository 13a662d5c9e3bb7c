import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tryExec } from '../common/exec.ts';
import { Failure } from '../common/failure.ts';
import { fullDiskFailure, type Place, saysFullDisk } from './diskSpace.ts';
import type { CBuild } from './recipe.ts';

/** Path of a Go module's folder, out of what `go mod download -json` prints. */
export const moduleFolderIn = (json: string): string => {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed === 'object' && parsed !== null && 'Dir' in parsed && typeof parsed.Dir === 'string')
    return parsed.Dir;
  throw new Error(`go mod download told no folder: ${json}`);
};

/**
 * Compiles one C file to a program.
 * @returns the program's path in `work`.
 */
export const compileC = async (
  build: CBuild,
  source: string,
  name: string,
  work: string,
  env: NodeJS.ProcessEnv,
  folders: readonly Place[],
): Promise<string> => {
  const out = join(work, 'built');
  await mkdir(out, { recursive: true });
  const program = join(out, name);
  const tried = `compile ${name}`;
  // gcc's own temporary files belong to this run, so that nothing is left behind when it is killed.
  const result = await tryExec('gcc', [...build.flags, '-o', program, source], { env: { ...env, TMPDIR: out } });
  if (result.code === 0) return program;
  if (saysFullDisk(result.stderr)) throw await fullDiskFailure(tried, folders);
  throw new Failure({
    tried,
    got: `gcc: ${result.stderr.trim().split('\n').slice(-5).join('\n    ')}`,
    next: 'install gcc and the static C library: apt-get install -y --no-install-recommends gcc libc6-dev',
  });
};
