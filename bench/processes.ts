import { readdir, readFile } from 'node:fs/promises';

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

/** The process of this program with this among its arguments. @throws where there is none, or more than one */
export const findProcess = async (program: string, argument: string): Promise<number> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  const found = pids.filter((_, i) => {
    const [command = '', ...args] = (lines[i] ?? '').split('\0');
    return command.endsWith(`/${program}`) && args.includes(argument);
  });
  const [pid] = found;
  if (pid === undefined || found.length > 1) throw new Error(`${found.length} processes ${program} ${argument}`);
  return Number(pid);
};
