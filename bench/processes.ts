import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';

const millisecondsPerTick = 10;

/** Processor time that a process has used so far, milliseconds: fields 14 and 15 of /proc/<pid>/stat, after the name. 0 once it has ended. */
export const cpuMs = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * millisecondsPerTick;
};

/** Resident memory, bytes. */
export const residentBytes = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
};

/** What a process takes of memory, bytes: see `smaps_rollup` in proc(5). */
export interface MemoryUse {
  /** Resident, what it shares with others in full. */
  readonly rss: number;
  /** Resident, what it shares divided among those that share it. */
  readonly pss: number;
  /** Of its own: heap and stacks. */
  readonly anonymous: number;
}

/** @throws where the process has ended */
export const memoryUse = async (pid: number): Promise<MemoryUse> => {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { rss: bytes('Rss'), pss: bytes('Pss'), anonymous: bytes('Anonymous') };
};

/** The processes of this program that have an argument of which this is true. */
export const findProcesses = async (
  program: string,
  matches: (argument: string) => boolean,
): Promise<readonly number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.flatMap((pid, index) => {
    const [command = '', ...args] = (lines[index] ?? '').split('\0');
    return basename(command) === program && args.some(matches) ? [Number(pid)] : [];
  });
};

/** The process of this program with this among its arguments. @throws where there is none, or more than one */
export const findProcess = async (program: string, argument: string): Promise<number> => {
  const found = await findProcesses(program, (one) => one === argument);
  const [pid] = found;
  if (pid === undefined || found.length > 1) throw new Error(`${found.length} processes ${program} ${argument}`);
  return pid;
};
