import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { tryExec } from '../../common/exec.ts';
import { Failure, hasCode } from '../../common/failure.ts';
import { cacheDir } from '../../common/paths.ts';
import type { Progress } from '../../common/progress.ts';
import type { EngineName } from '../cluster/engine.ts';

/**
 * Debian's container engines and what of them a minimal Debian may lack. They are unpacked, not installed: an installed one
 * would start by itself, on this machine's own network.
 */
export const enginePackages: Readonly<Record<EngineName, readonly string[]>> = {
  docker: ['docker.io', 'containerd', 'runc', 'tini', 'libdevmapper1.02.1'],
  podman: [
    'podman',
    'conmon',
    'runc',
    'netavark',
    'aardvark-dns',
    'golang-github-containers-common',
    'golang-github-containers-image',
    'tini',
    'libassuan0',
    'libdevmapper1.02.1',
    'libgpg-error0',
    'libgpgme11',
    'libsubid4',
  ],
};

const run = async (command: string, args: readonly string[], cwd: string, tried: string, next: string) => {
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  const result = await tryExec(command, args, { cwd, env }).catch((error: Error) => ({
    code: 127,
    stdout: '',
    stderr: error.message,
  }));
  if (result.code === 0) return result.stdout;
  const got = `${command}: ${(result.stderr || result.stdout).trim().split('\n').slice(-5).join('\n    ')}`;
  throw new Failure({ tried, got, next });
};

/**
 * The folder that {@link enginePackages} are unpacked in, got where it is missing, by apt: which checks their signatures.
 * @throws Failure where this is no Debian, or apt cannot get them
 */
export const ensureEnginePackages = async (name: EngineName, progress: Progress): Promise<string> => {
  const dir = join(cacheDir(), 'engine');
  const packages = enginePackages[name];
  const tried = `get Debian's ${name}`;
  const next = "check the package lists ('apt-get update'), or use a Docker or Podman of your own";
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const policy = await run('apt-cache', ['policy', ...packages], dir, tried, next);
  const candidates = [...policy.matchAll(/^ {2}Candidate: (.+)$/gm)].map(([, version]) => version ?? '');
  const key = createHash('sha256').update(JSON.stringify(candidates)).digest('hex').slice(0, 12);
  const folder = join(dir, `${name}-${key}`);
  if (await stat(folder).catch(() => undefined)) return folder;
  return progress.phase(`unpack Debian packages: ${packages.join(', ')}`, async () => {
    const work = await mkdtemp(join(dir, 'work-'));
    try {
      await run('apt-get', ['download', ...packages], work, tried, next);
      for (const file of (await readdir(work)).filter((name) => name.endsWith('.deb'))) {
        await run('dpkg-deb', ['--extract', file, 'root'], work, tried, 'run again');
      }
      await rename(join(work, 'root'), folder).catch((error: unknown) => {
        // Another run was faster.
        if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'EEXIST')) throw error;
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return folder;
  });
};
