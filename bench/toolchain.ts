import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryExec } from '../common/exec.ts';
import { Failure } from '../common/failure.ts';
import { projectDir } from '../common/paths.ts';
import type { Progress } from '../common/progress.ts';
import { rounded } from './statistics.ts';

/** All programs from nothing: no cache of ours, none of Go's builds, modules as they are on this machine. Then once more. */
export const benchToolchain = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const dir = await mkdtemp(join(tmpdir(), 'us-bench-'));
  const env = { ...process.env, UNDERSTUDY_CACHE: join(dir, 'cache'), GOCACHE: join(dir, 'go') };
  const time = async (): Promise<number> => {
    const begin = performance.now();
    const args = [join(projectDir, 'cli', 'understudy.js'), 'toolchain', '--quiet'];
    const { code, stderr } = await tryExec(process.execPath, args, { env });
    if (code !== 0) throw new Failure({ tried: "run 'understudy toolchain'", got: stderr, next: `see ${dir}` });
    return (performance.now() - begin) / 1000;
  };
  try {
    const coldSeconds = await progress.phase('cold', time);
    const warmSeconds = await progress.phase('warm', time);
    return { coldSeconds: rounded(coldSeconds), warmSeconds: rounded(warmSeconds) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};
