import type { Progress } from '../common/progress.ts';
import { createBenchStack } from './stack.ts';
import { median, rounded } from './statistics.ts';

const runs = 3;

/** Three control-plane nodes: from nothing to all Ready with their API servers encrypting, by `up`. */
export const benchHa = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const stack = await createBenchStack({ platform: 'local', controlPlanes: 3 });
  const ups: number[] = [];
  const ready: number[] = [];
  try {
    for (let run = 1; run <= runs; run++) {
      const up = await progress.phase(`up with three control planes, run ${run} of ${runs}`, () => stack.run('up'));
      ups.push(up.seconds);
      // The plugin's DaemonSet is ready only where its nodes are.
      const at = /^\s*([\d.]+)s.*created DaemonSet/m.exec(up.stderr)?.[1];
      if (at !== undefined) ready.push(Number(at));
      await progress.phase('down', () => stack.run('down'));
    }
  } finally {
    await stack.remove();
  }
  return { upSeconds: rounded(median(ups)), nodesReadySeconds: rounded(median(ready)), nodes: 3 };
};
