import { join } from 'node:path';
import { readAccess } from '../cluster/access.ts';
import type { Progress } from '../common/progress.ts';
import { type Answers, askUntil } from './answers.ts';
import { type BenchStack, createBenchStack } from './stack.ts';
import { median, rounded } from './statistics.ts';

const runs = 3;

interface RollOut {
  readonly encryptSeconds: number;
  readonly loadBalancer: Answers;
  readonly apiServers: readonly Answers[];
}

/** Another encryption on all nodes, and how the cluster answers meanwhile. */
const rollOut = async (stack: BenchStack): Promise<RollOut> => {
  const access = await readAccess(join(stack.home, 'clusters', 'bench'));
  if (access === undefined) throw new Error('the cluster has no credentials');
  const done = new AbortController();
  const asking = Promise.all(
    [access.api.host, ...access.etcd.hosts].map((host) => askUntil(access, host, done.signal)),
  );
  const { seconds } = await stack.run('encrypt', 'aescbc').finally(() => done.abort());
  const [loadBalancer, ...apiServers] = await asking;
  if (loadBalancer === undefined) throw new Error('the cluster has no load balancer');
  return { encryptSeconds: rounded(seconds), loadBalancer, apiServers };
};

/**
 * Three control-plane nodes: from nothing to all Ready with their API servers encrypting, by `up`; then from KMS to aescbc, while
 * somebody asks them.
 */
export const benchHa = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const stack = await createBenchStack({ platform: 'local', controlPlanes: 3 });
  const ups: number[] = [];
  const ready: number[] = [];
  const rollOuts: RollOut[] = [];
  try {
    for (let run = 1; run <= runs; run++) {
      const up = await progress.phase(`up with three control planes, run ${run} of ${runs}`, () => stack.run('up'));
      ups.push(up.seconds);
      // The plugin's DaemonSet is ready only where its nodes are.
      const at = /^\s*([\d.]+)s.*created DaemonSet/m.exec(up.stderr)?.[1];
      if (at !== undefined) ready.push(Number(at));
      rollOuts.push(await progress.phase('encrypt aescbc, while the API servers are asked', () => rollOut(stack)));
      await progress.phase('down', () => stack.run('down'));
    }
  } finally {
    await stack.remove();
  }
  return { upSeconds: rounded(median(ups)), nodesReadySeconds: rounded(median(ready)), nodes: 3, rollOuts };
};
