import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { boxPid } from '../../cluster/box.ts';
import { killBox, machineHierarchies, removeClusterCgroups } from '../../cluster/cgroups.ts';
import { tryExec } from '../../common/exec.ts';
import { Failure } from '../../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../../common/files.ts';
import { cacheDir } from '../../common/paths.ts';
import type { Progress } from '../../common/progress.ts';
import { waitFor } from '../../common/waitFor.ts';
import type { EngineName } from '../cluster/engine.ts';
import { type EnginePlaces, engineBox, renderEnter, renderInit, renderRuntime } from './box.ts';
import { ensureEnginePackages } from './debianPackages.ts';
import { dockerContent, dockerFiles, socketPath } from './docker.ts';
import { podmanContent, podmanFiles, renderPodman } from './podman.ts';

/** A container engine of our own, in a network of its own that leads nowhere. */
export interface Engine {
  /** Variables that make its command, and kind, speak to it. */
  readonly env: NodeJS.ProcessEnv;
  /** Words to put before a command that is to run in the engine's network. */
  readonly enter: readonly string[];
  /** Ends all that runs in it, and removes its files. */
  stop(): Promise<void>;
}

const answersWithinMs = 60_000;

/** What tells an engine's cgroups from others': made of its folder, so that one can be removed by that alone. */
const idOf = (dir: string): string => `engine-${createHash('sha256').update(dir).digest('hex').slice(0, 8)}`;

/** A file for each engine that runs: the process that it is of, and its folder. */
const registryDir = (): string => join(cacheDir(), 'engine', 'running');
const registryPath = (id: string): string => join(registryDir(), id);

/** Ends the engine of a folder, whatever became of it, with all of its containers, and removes the folder. Safe to repeat. */
export const removeEngine = async (dir: string): Promise<void> => {
  const id = idOf(dir);
  await killBox(id, engineBox);
  await removeClusterCgroups(id);
  await rm(registryPath(id), { force: true });
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Removes engines whose process was killed: they ended with it, and left their folders and empty cgroups. */
export const removeDeadEngines = async (): Promise<void> => {
  for (const id of await readdir(registryDir()).catch(() => [])) {
    const [pid, dir] = ((await readFileIfThere(registryPath(id))) ?? '').split('\n');
    if (dir !== undefined && idOf(dir) === id && !isAlive(Number(pid))) await removeEngine(dir);
  }
};

const mayRaiseLimits = async (): Promise<boolean> => {
  const [, bounding = '0'] = /^CapBnd:\t(\w+)$/m.exec((await readFileIfThere('/proc/self/status')) ?? '') ?? [];
  const capSysResource = 24n;
  return ((BigInt(`0x${bounding}`) >> capSysResource) & 1n) === 1n;
};

const kinds = {
  docker: { files: dockerFiles, content: dockerContent },
  podman: { files: podmanFiles, content: podmanContent },
} as const;

/**
 * Starts an engine in the empty folder `dir`. It ends with this process, however that ends.
 * @param dir not below /run, which an engine has its own of
 * @throws Failure with the end of the engine's log
 */
export const startEngine = async (name: EngineName, dir: string, progress: Progress): Promise<Engine> => {
  await removeDeadEngines();
  const packages = await ensureEnginePackages(name, progress);
  const places: EnginePlaces = { id: idOf(dir), dir, packages };
  const hierarchies = await machineHierarchies();
  const { files, content } = kinds[name];
  const programs = join(dir, 'bin');
  await mkdir(programs, { recursive: true, mode: 0o700 });
  await writeFileWhole(registryPath(places.id), `${process.pid}\n${dir}`);
  const runc = join(packages, 'usr/sbin/runc');
  const runtime = join(dir, 'runtime');
  await writeFile(runtime, renderRuntime(runc), { mode: 0o700 });
  const fitting = (await mayRaiseLimits()) ? runc : runtime;
  for (const [path, text] of Object.entries(files(places, fitting))) await writeFile(path, text);
  const initPath = join(dir, 'init.sh');
  await writeFile(initPath, renderInit(places, hierarchies, content(places)), { mode: 0o700 });
  const logPath = join(dir, 'log');
  const log = await open(logPath, 'w', 0o600);
  const command = ['--pdeathsig', 'KILL', 'bash', '--norc', '-c', renderEnter(places, hierarchies, initPath)];
  const child = spawn('setpriv', command, { stdio: ['ignore', log.fd, log.fd], env: { PATH: process.env.PATH } });
  child.on('error', () => {});
  child.unref();
  await log.close();
  const env = {
    ...process.env,
    ...(name === 'docker' ? { DOCKER_HOST: `unix://${socketPath(dir)}` } : {}),
    PATH: [programs, join(packages, 'usr/bin'), process.env.PATH].join(delimiter),
  };
  const answer = async (): Promise<number> => {
    const pid = await boxPid(places.id, engineBox);
    const program = pid === undefined ? undefined : await readFileIfThere(`/proc/${pid}/comm`);
    // Until then the box is being prepared, and what was done in it would be done to this machine.
    if (pid === undefined || program?.trim() !== 'tini') throw new Error('its box does not run');
    if (name === 'podman') await writeFile(join(programs, name), renderPodman(places, pid), { mode: 0o700 });
    const { code, stderr } = await tryExec(name, ['info'], { env });
    if (code === 0) return pid;
    throw new Error(stderr.trim());
  };
  try {
    const pid = await progress.phase('start an engine of its own', () =>
      waitFor(answer, {
        what: `an answer of ${name}`,
        timeoutMs: answersWithinMs,
        intervalMs: 200,
        next: `read ${logPath}`,
      }),
    );
    return {
      env,
      enter: ['nsenter', '--target', String(pid), '--net'],
      stop: () => removeEngine(dir),
    };
  } catch (error) {
    const tail = ((await readFileIfThere(logPath)) ?? '').trimEnd().split('\n').slice(-8).join('\n    ');
    await removeEngine(dir);
    const next = 'use a Docker or Podman of your own; this machine may not let containers be made';
    throw new Failure({ tried: `start a ${name} of its own`, got: tail || String(error), next, cause: error });
  }
};
