import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { administratorClient, readAccess } from '../../cluster/access.ts';
import { type ApiClient, expectOk } from '../../cluster/apiClient.ts';
import type { Progress } from '../../common/progress.ts';
import { waitFor } from '../../common/waitFor.ts';
import { createBenchStack } from '../stack.ts';
import { median, rounded } from '../statistics.ts';

const backend = '/apis/understudy.dev/v1alpha1/kmsbackends/cluster';
const operator = '/apis/operator.openshift.io/v1/kubeapiservers/cluster';
const rounds = 8;

interface Operand {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const until = (api: ApiClient, status: string, timeoutMs: number): Promise<true> =>
  waitFor(
    async () => {
      const { body } = await api.ask('GET', operator);
      const conditions = (JSON.parse(body) as Operand).status?.conditions ?? [];
      const found = conditions.find(({ type }) => type === 'KMSPluginsDegraded');
      return found?.status === status ? true : undefined;
    },
    { what: `KMSPluginsDegraded=${status}`, timeoutMs, intervalMs: 20, next: "see the operator's log" },
  );

const patchFaults = async (api: ApiClient, faults: object): Promise<void> => {
  const answer = await api.ask('PATCH', backend, { spec: { faults } }, 'application/merge-patch+json');
  expectOk(answer, 'the fault');
};

/** Seconds from a fault's patch to KMSPluginsDegraded=True, at moments that have nothing to do with the reporter's ticks. */
const detections = async (api: ApiClient, intervalMs: number): Promise<readonly number[]> => {
  const found: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await until(api, 'False', 4 * intervalMs + 20_000);
    await sleep((intervalMs * round) / rounds);
    const begin = performance.now();
    await patchFaults(api, { bench: { kind: 'unhealthy' } });
    await until(api, 'True', 2 * intervalMs + 20_000);
    found.push(rounded((performance.now() - begin) / 1000));
    await patchFaults(api, { bench: null });
  }
  return found;
};

/** On a real cluster, with two intervals. */
export const measureDetection = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const settings = { platform: 'local', healthInterval: '1s' };
  const stack = await createBenchStack(settings);
  const measure = async (interval: string, intervalMs: number): Promise<readonly number[]> => {
    const config = { 'understudy:platform': 'local', 'understudy:healthInterval': interval };
    await writeFile(join(stack.home, 'files', 'Pulumi.bench.yaml'), JSON.stringify({ config }));
    await progress.phase(`up with an interval of ${interval}`, () => stack.run('up'));
    const access = await readAccess(join(stack.home, 'clusters', 'bench'));
    if (access === undefined) throw new Error('the cluster has no credentials');
    const api = administratorClient(access);
    try {
      return await progress.phase(`${rounds} faults with an interval of ${interval}`, () =>
        detections(api, intervalMs),
      );
    } finally {
      api.close();
    }
  };
  try {
    const each = await measure('1s', 1_000);
    const slow = await measure('10s', 10_000);
    return {
      detectionSeconds: median(each),
      detectionSecondsWorst: Math.max(...each),
      detectionSecondsAt10s: median(slow),
      detectionSecondsAt10sWorst: Math.max(...slow),
    };
  } finally {
    await stack.remove();
  }
};
