import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { boxProcesses, knownBoxes } from '../cluster/cgroups.ts';
import { clusterId } from '../cluster/plan.ts';
import { cpuMs } from './processes.ts';

/** What a cluster takes while nobody asks anything of it. */
export interface IdleFigures {
  /** Resident memory of all its processes, each counting what it shares with others in full. */
  readonly rssBytes: number;
  /** The same with shared pages divided among those that share them. */
  readonly pssBytes: number;
  /** Processor time, in percent of one core. */
  readonly cpuPercent: number;
}

const seconds = 20;

const processesOf = async (id: string): Promise<readonly number[]> =>
  (await Promise.all((await knownBoxes(id)).map((box) => boxProcesses(id, box)))).flat();

const kilobytes = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);

const sum = (figures: readonly number[]): number => figures.reduce((total, figure) => total + figure, 0);

/** Watches a cluster for 20 s. */
export const measureIdle = async (clusterDir: string): Promise<IdleFigures> => {
  const id = clusterId(clusterDir);
  const before = sum(await Promise.all((await processesOf(id)).map(cpuMs)));
  const begin = performance.now();
  await sleep(seconds * 1000);
  const pids = await processesOf(id);
  const after = sum(await Promise.all(pids.map(cpuMs)));
  const elapsed = (performance.now() - begin) / 1000;
  const rollups = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')));
  return {
    rssBytes: sum(rollups.map((text) => kilobytes(text, 'Rss'))) * 1024,
    pssBytes: sum(rollups.map((text) => kilobytes(text, 'Pss'))) * 1024,
    cpuPercent: ((after - before) / 1000 / elapsed) * 100,
  };
};
