import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Failure, hasCode } from '../common/failure.ts';
import { readFileIfThere } from '../common/files.ts';
import { nodeDir, rootOf } from './boxRoot.ts';
import { type Bind, renderEnterScript, renderInitScript } from './boxScripts.ts';
import { boxProcesses, killBox, machineHierarchies } from './cgroups.ts';
import { connectBox } from './network.ts';
import type { ClusterPlan, NodePlan } from './plan.ts';

/**
 * The id, as this machine sees it, of a box's first process: the one that is number 1 in its own namespace.
 * @returns undefined where the box does not run
 */
export const boxPid = async (id: string, node: string): Promise<number | undefined> => {
  const found: { pid: number; depth: number }[] = [];
  for (const pid of await boxProcesses(id, node)) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch((error: unknown) => {
      if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return '';
      throw error;
    });
    const namespacePids = /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split('\t') ?? [];
    // Pods have first processes too, one namespace further in.
    if (namespacePids.at(-1) === '1') found.push({ pid, depth: namespacePids.length });
  }
  return found.sort((a, b) => a.depth - b.depth)[0]?.pid;
};

const logTail = async (path: string): Promise<string> =>
  ((await readFileIfThere(path)) ?? '').trimEnd().split('\n').slice(-5).join('\n');

/** The lines that the first process of a box says on its third descriptor: its id, then `up`. */
const startLines = (stream: Readable): AsyncIterator<string> =>
  createInterface({ input: stream })[Symbol.asyncIterator]();

/**
 * Starts the box of a node whose files are prepared and of which nothing runs. The box outlives
 * this process once it has said `up`, and ends by itself if this process dies before.
 * @throws Failure with the end of the box's log
 */
export const startBox = async (plan: ClusterPlan, node: NodePlan, binds: readonly Bind[]): Promise<number> => {
  const dir = nodeDir(plan, node.name);
  const hierarchies = await machineHierarchies();
  const initPath = join(dir, 'init.sh');
  const logPath = join(dir, 'box.log');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(initPath, renderInitScript(plan, node, rootOf(plan, node.name), binds, hierarchies), { mode: 0o700 });
  const log = await open(logPath, 'w', 0o600);
  // A shell whose input is a socket takes itself for one of a remote login and reads ~/.bashrc.
  const child = spawn('bash', ['--norc', '-c', renderEnterScript(plan, node, hierarchies, initPath)], {
    detached: true,
    stdio: ['pipe', log.fd, log.fd, 'pipe'],
    env: { PATH: process.env.PATH },
  });
  const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
  try {
    const lines = startLines(child.stdio[3] as Readable);
    const next = async (): Promise<string | undefined> => {
      const line = await Promise.race([lines.next(), failed]);
      return line.done === true ? undefined : line.value;
    };
    const pid = Number(await next());
    if (Number.isInteger(pid) && pid > 0) {
      await connectBox(plan, node, pid);
      child.stdin?.on('error', () => {});
      child.stdin?.end('go\n');
      if ((await next()) === 'up') return pid;
    }
    throw new Failure({
      tried: `start the box of node ${node.name}`,
      got: (await logTail(logPath)) || 'it ended without a word',
      next: `read ${logPath}; 'understudy doctor' tells what this machine lacks`,
    });
  } catch (error) {
    await killBox(plan.id, node.name);
    throw error;
  } finally {
    await log.close();
    child.unref();
    for (const stream of [child.stdin, child.stdio[3]]) stream?.destroy();
  }
};

/** Ends a box and removes its files. */
export const removeBox = async (plan: Pick<ClusterPlan, 'id' | 'dir'>, node: string): Promise<void> => {
  await killBox(plan.id, node);
  await rm(join(plan.dir, 'nodes', node), { recursive: true, force: true });
};
