import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../common/progress.ts';
import { measureIdle } from './idle.ts';
import { createBenchStack } from './stack.ts';
import { median, rounded } from './statistics.ts';

const runs = 5;
/** After the last pod has started, until garbage of the start is collected and lists are settled. */
const settleMs = 20_000;

/** Lines of `up` that end a phase, in their order. */
const milestones: readonly (readonly [phase: string, line: RegExp])[] = [
  ['engine started', /created Stack|created command default|box .*-control-plane/],
  ['box started', /✓ box /],
  ['kube-apiserver alive', /✓ kube-apiserver alive/],
  ['plugin image on the node', /created Image /],
  ['plugin ready', /created DaemonSet /],
  ['operator ready', /created Deployment /],
  ['configuration rolled out', /· configuration 1 rolled out to/],
  ['stored objects written again', /· everything migrated to key 1|created Command encryption-type/],
  ['engine done', /created Stack /],
  ['nodes Ready', /✓ nodes Ready/],
];

/** Seconds from the start of `up` to each milestone, by the times before its lines. */
export const phasesOf = (stderr: string): Readonly<Record<string, number>> => {
  const lines = stderr.split('\n');
  return Object.fromEntries(
    milestones.flatMap(([phase, pattern]) => {
      const line = lines.find((candidate) => pattern.test(candidate));
      const at = /^\s*([\d.]+)s/.exec(line ?? '')?.[1];
      return at === undefined ? [] : [[phase, Number(at)]];
    }),
  );
};

const mediansOf = (runsOfPhases: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.keys(runsOfPhases[0] ?? {}).map((phase) => [
      phase,
      median(runsOfPhases.map((phases) => phases[phase] ?? Number.NaN)),
    ]),
  );

/** From nothing to `verify` passing with a warm toolchain, and back to nothing; then what an idle cluster takes. */
export const benchUp = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const stack = await createBenchStack({ platform: 'local' });
  const ups: number[] = [];
  const again: number[] = [];
  const downs: number[] = [];
  const phases: Readonly<Record<string, number>>[] = [];
  let idle: Awaited<ReturnType<typeof measureIdle>> | undefined;
  try {
    for (let run = 1; run <= runs; run++) {
      const up = await progress.phase(`up and verify, run ${run} of ${runs}`, async () => {
        const first = await stack.run('up');
        const { seconds } = await stack.run('verify');
        return { ...first, seconds: first.seconds + seconds };
      });
      ups.push(up.seconds);
      phases.push(phasesOf(up.stderr));
      again.push((await progress.phase('up again', () => stack.run('up'))).seconds);
      if (run === runs) {
        await sleep(settleMs);
        idle = await progress.phase('idle', () => measureIdle(join(stack.home, 'clusters', 'bench')));
      }
      downs.push((await progress.phase('down', () => stack.run('down'))).seconds);
    }
  } finally {
    await stack.remove();
  }
  const medianPhases = mediansOf(phases);
  const table = Object.entries(medianPhases).map(([phase, at]) => `  ${phase.padEnd(30)} after ${at.toFixed(1)} s`);
  process.stderr.write(`\nup, median of ${runs} runs:\n${table.join('\n')}\n\n`);
  return {
    upSeconds: rounded(median(ups)),
    upSecondsAll: ups.map((seconds) => rounded(seconds)),
    upAgainSeconds: rounded(median(again)),
    downSeconds: rounded(median(downs)),
    phases: medianPhases,
    rssBytes: idle?.rssBytes,
    pssBytes: idle?.pssBytes,
    idleCpuPercent: rounded(idle?.cpuPercent ?? Number.NaN, 1),
  };
};
