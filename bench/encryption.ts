import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { administratorClient, readAccess } from '../cluster/access.ts';
import { type ApiClient, expectOk } from '../cluster/apiClient.ts';
import { Failure } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import { waitFor } from '../common/waitFor.ts';
import { createBenchStack } from './stack.ts';
import { median, rounded } from './statistics.ts';

const runs = 3;
const withinMs = 60_000;

const apiServer = '/apis/config.openshift.io/v1/apiservers/cluster';
const operator = '/apis/operator.openshift.io/v1/kubeapiservers/cluster';

interface KubeApiServer {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  };
}

/** None where a handover broke the connection. */
const conditionsOf = async (api: ApiClient) => {
  try {
    const { status, body } = await api.ask('GET', operator);
    return status === 200 ? ((JSON.parse(body) as KubeApiServer).status?.conditions ?? []) : [];
  } catch {
    return [];
  }
};

/** Patches the encryption type and says how many seconds later `Encrypted` has this reason. */
const patchUntil = async (api: ApiClient, type: string, reason: string): Promise<number> => {
  const patch = { spec: { encryption: { type, ...(type === 'KMS' ? {} : { kms: null }) } } };
  // A policy about a kind that is a second old is refused with 503.
  await waitFor(
    async () => expectOk(await api.ask('PATCH', apiServer, patch, 'application/merge-patch+json'), `patch to ${type}`),
    { what: `the patch to ${type}`, timeoutMs: 10_000, intervalMs: 50, next: 'see the log of kube-apiserver' },
  );
  const begin = performance.now();
  while (performance.now() - begin < withinMs) {
    const conditions = await conditionsOf(api);
    if (conditions.some((condition) => condition.type === 'Encrypted' && condition.reason === reason)) {
      return (performance.now() - begin) / 1000;
    }
    await sleep(20);
  }
  throw new Failure({
    tried: `patch to ${type}`,
    got: `no ${reason} within ${withinMs} ms`,
    next: "see the operator's log",
  });
};

/** From the patch to `Encrypted=True` on fresh clusters, and the way from mode to mode after that. */
export const benchEncryption = async (progress: Progress): Promise<Readonly<Record<string, unknown>>> => {
  const figures: Record<string, number[]> = {};
  const measure = async (name: string, api: ApiClient, type: string, reason: string): Promise<void> => {
    const seconds = await progress.phase(name, () => patchUntil(api, type, reason));
    figures[name] = [...(figures[name] ?? []), rounded(seconds)];
  };
  for (let run = 1; run <= runs; run++) {
    const stack = await createBenchStack({ platform: 'local', encryption: 'identity' });
    try {
      await progress.phase(`up, run ${run} of ${runs}`, () => stack.run('up'));
      const access = await readAccess(join(stack.home, 'clusters', 'bench'));
      if (access === undefined) throw new Error('the cluster has no credentials');
      const api = administratorClient(access);
      try {
        await measure('fresh cluster to KMS', api, 'KMS', 'EncryptionCompleted');
        await measure('KMS to identity', api, 'identity', 'DecryptionCompleted');
      } finally {
        api.close();
      }
    } finally {
      await stack.remove();
    }
  }
  return {
    patchToEncryptedSeconds: rounded(median(figures['fresh cluster to KMS'] ?? [])),
    patchToDecryptedSeconds: rounded(median(figures['KMS to identity'] ?? [])),
    all: figures,
  };
};
