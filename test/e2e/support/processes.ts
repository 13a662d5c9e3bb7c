import { readdir, readFile } from 'node:fs/promises';
import type { ClusterMarks } from './home.ts';

const readIfThere = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** What runs in the boxes and may be killed at any time, by words of its command line. */
export const victims = {
  operator: ['/app/main.mjs', 'operator'],
  installer: ['/app/main.mjs', 'installer'],
  plugin: ['/app/main.mjs', '--socket-dir='],
  'kube-apiserver': ['kube-apiserver', '--secure-port='],
  etcd: ['etcd', '--data-dir='],
} as const;
export type Victim = keyof typeof victims;

/** Process ids, as this machine sees them, of a component in all boxes of a cluster. */
export const processesOf = async ({ id }: ClusterMarks, victim: Victim): Promise<readonly number[]> => {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command = '', cgroup = ''] = await Promise.all(
        ['cmdline', 'cgroup'].map((file) => readIfThere(`/proc/${pid}/${file}`)),
      );
      const words = command.split('\0');
      const isIt = victims[victim].every((part) => words.some((word) => word.startsWith(part) || word.endsWith(part)));
      return isIt && cgroup.includes(`understudy-${id}`) ? [pid] : [];
    }),
  );
  return found.flat();
};

/** Kills a component with -9 wherever it runs. @returns how many processes that were */
export const kill9 = async (marks: ClusterMarks, victim: Victim): Promise<number> => {
  const pids = await processesOf(marks, victim);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself in between.
    }
  }
  return pids.length;
};
