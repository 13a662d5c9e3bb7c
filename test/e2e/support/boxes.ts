import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { boxPid } from '../../../cluster/box.ts';
import { boxProcesses } from '../../../cluster/cgroups.ts';
import { type ExecResult, tryExec } from '../../../common/exec.ts';
import { eventually, type Home, marksOf } from './home.ts';

/** A node of a stack from outside. */
export interface Box {
  readonly node: string;
  /** Its file system on this machine. */
  readonly root: string;
  /** Of its first process; undefined where it does not run. */
  pid(): Promise<number | undefined>;
  processes(): Promise<readonly number[]>;
  /** Of a component, by the name of its program. */
  componentPid(name: string): Promise<number | undefined>;
  /** Of a process whose command line has all these words. */
  pidWith(...words: readonly string[]): Promise<number | undefined>;
  /** Kills a component and waits until its supervisor has started it again. */
  killComponent(name: string): Promise<void>;
  /** Runs a program of this machine in its network. */
  inNetwork(...command: readonly string[]): Promise<ExecResult>;
}

const commandOf = async (pid: number): Promise<readonly string[]> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');

export const boxOf = async (home: Home, stack: string, node: string): Promise<Box> => {
  const { id } = await marksOf(home, stack);
  const pid = (): Promise<number | undefined> => boxPid(id, node);
  const processes = (): Promise<readonly number[]> => boxProcesses(id, node);
  const find = async (isIt: (command: readonly string[]) => boolean): Promise<number | undefined> => {
    for (const candidate of await processes()) if (isIt(await commandOf(candidate))) return candidate;
    return undefined;
  };
  const componentPid = (name: string): Promise<number | undefined> => find(([program]) => program === name);
  return {
    node,
    root: join(home.clusterDir(stack), 'nodes', node, 'root'),
    pid,
    processes,
    componentPid,
    pidWith: (...words) => find((command) => words.every((word) => command.includes(word))),
    killComponent: async (name) => {
      const old = await componentPid(name);
      if (old === undefined) throw new Error(`${name} does not run in ${node}`);
      process.kill(old, 'SIGKILL');
      await eventually(
        `${name} in ${node} again`,
        async () => {
          const now = await componentPid(name);
          return now === undefined || now === old ? undefined : now;
        },
        20_000,
      );
    },
    inNetwork: async (...command) => tryExec('nsenter', ['--target', String(await pid()), '--net', ...command]),
  };
};
