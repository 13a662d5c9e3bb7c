import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../../common/progress.ts';
import { type RunningReporter, readOperand, startReporter } from '../../test/integration/reporterRun.ts';
import { cpuMs } from '../processes.ts';
import { rounded } from '../statistics.ts';
import { type HealthCluster, startHealthCluster } from './cluster.ts';

interface Fleet {
  readonly nodes: number;
  readonly intervalMs: number;
  readonly seconds: number;
}

/** What is asked for is the last; those before it show where an API server of two cores comes to its end. */
const fleets: readonly Fleet[] = [
  { nodes: 3, intervalMs: 1_000, seconds: 30 },
  { nodes: 10, intervalMs: 1_000, seconds: 30 },
  { nodes: 20, intervalMs: 1_000, seconds: 30 },
  { nodes: 100, intervalMs: 30_000, seconds: 90 },
  { nodes: 100, intervalMs: 1_000, seconds: 30 },
];

interface FleetFigures extends Fleet {
  readonly ticks: number;
  readonly deliveredPerSecond: number;
  /** Ticks that were due, less those whose report came to the object in time. */
  readonly lostTicks: number;
  /** Of the API server, beside what it takes when nobody reports; 1000 is a core. */
  readonly apiServerMilliCpu: number;
  readonly apiServerMilliCpuIdle: number;
  readonly cpuMsPerReport: number;
  readonly objectBytes: number;
}

const milliCpu = async (pid: number, seconds: number): Promise<number> => {
  const before = await cpuMs(pid);
  await sleep(seconds * 1000);
  return ((await cpuMs(pid)) - before) / seconds;
};

const measure = async ({ cluster, sockets, apiServerPid }: HealthCluster, fleet: Fleet): Promise<FleetFigures> => {
  const { nodes, intervalMs, seconds } = fleet;
  const pid = await apiServerPid();
  const idle = await milliCpu(pid, 10);
  const reporters: RunningReporter[] = [];
  for (let i = 0; i < nodes; i++) {
    const source = { current: () => Promise.resolve(sockets) };
    reporters.push(
      await startReporter(cluster, {
        dir: '',
        nodeName: `node-${i}`,
        source,
        intervalMs,
        writeTimeoutMs: 10_000,
      }),
    );
    // As machines that were not switched on at the same moment.
    await sleep(Math.min(intervalMs, 10_000) / nodes);
  }
  const delivered = (): number => reporters.reduce((sum, { counts }) => sum + counts.delivered, 0);
  // Whoever has not come to the object by then is counted as lost as well.
  await sleep(Math.min(2 * intervalMs, 10_000));
  const before = delivered();
  const busy = await milliCpu(pid, seconds);
  const count = delivered() - before;
  const ticks = Math.floor((nodes * seconds * 1000) / intervalMs);
  await Promise.all(reporters.map((reporter) => reporter.stop()));
  const object = await readOperand(cluster);
  return {
    ...fleet,
    ticks,
    deliveredPerSecond: rounded(count / seconds),
    lostTicks: Math.max(0, ticks - count),
    apiServerMilliCpu: Math.round(busy),
    apiServerMilliCpuIdle: Math.round(idle),
    cpuMsPerReport: rounded(((busy - idle) * seconds) / Math.max(1, count), 1),
    objectBytes: JSON.stringify(object).length,
  };
};

/** Reporters of three keys each, against one API server. */
export const measureFleets = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const found: FleetFigures[] = [];
  for (const fleet of fleets) {
    const health = await startHealthCluster();
    try {
      const { nodes, intervalMs } = fleet;
      const name = `${nodes} nodes, a report each in ${intervalMs / 1000} s`;
      found.push(await progress.phase(name, () => measure(health, fleet)));
    } finally {
      await health.cluster.stop();
    }
  }
  return { lostTicks: found.at(-1)?.lostTicks, fleets: found };
};
