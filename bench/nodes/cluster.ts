import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { readAccess } from '../../cluster/access.ts';
import { boxProcesses, knownBoxes } from '../../cluster/cgroups.ts';
import { clusterId } from '../../cluster/plan.ts';
import type { HollowGroup } from '../../common/hollowGroups.ts';
import { groupsConfigMap, groupsKey, hollowNamespace } from '../../common/hollowNodes.ts';
import { ApiError, type ApiRequest, isApiError, type KubeClient } from '../../common/kubeClient.ts';
import { clientOf } from '../../common/kubeConfig.ts';
import { findProcesses } from '../processes.ts';
import { createBenchStack } from '../stack.ts';

/** A cluster of one real node, whose API server both contestants ask. */
export interface NodesCluster {
  /** Of an administrator. */
  readonly kubeconfigPath: string;
  /** The same one. */
  client(): KubeClient;
  /** Brings it to this setting by `up`; without groups nothing of ours that has to do with hollow nodes is left on it. */
  up(groups: readonly object[]): Promise<void>;
  /** The cluster's processes of this program that have an argument of which this is true. */
  processes(program: string, matches: (argument: string) => boolean): Promise<readonly number[]>;
  remove(): Promise<void>;
}

export const createNodesCluster = async (): Promise<NodesCluster> => {
  const stack = await createBenchStack({ platform: 'local' });
  const dir = join(stack.home, 'clusters', 'bench');
  let client: KubeClient | undefined;
  return {
    kubeconfigPath: join(dir, 'kubeconfig'),
    client: () => {
      if (client === undefined) throw new Error('the cluster is not up');
      return client;
    },
    up: async (groups) => {
      const config = { 'understudy:platform': 'local', 'understudy:hollowNodes': groups };
      await writeFile(join(stack.home, 'files', 'Pulumi.bench.yaml'), JSON.stringify({ config }));
      await stack.run('up');
      if (client !== undefined) return;
      const access = await readAccess(dir);
      if (access === undefined) throw new Error('the cluster has no credentials');
      const kubeconfig = new KubeConfig();
      kubeconfig.loadFromString(access.kubeconfig);
      client = clientOf(kubeconfig);
    },
    processes: async (program, matches) => {
      const id = clusterId(dir);
      const own = (await Promise.all((await knownBoxes(id)).map((box) => boxProcesses(id, box)))).flat();
      return (await findProcesses(program, matches)).filter((pid) => own.includes(pid));
    },
    remove: async () => {
      client?.close();
      await stack.remove();
    },
  };
};

/** Tells the controller what groups there are, as `up` and `nodes scale` do. */
export const writeGroups = (client: KubeClient, groups: readonly HollowGroup[]): Promise<unknown> =>
  client.send({
    method: 'PATCH',
    path: `/api/v1/namespaces/${hollowNamespace}/configmaps/${groupsConfigMap}`,
    body: { data: { [groupsKey]: JSON.stringify(groups) } },
    contentType: 'application/merge-patch+json',
  });

/** On a busy machine an answer may take longer than the client waits for it. */
const attempts = 5;

/**
 * Sends a request until it is answered. One that is sent once more may have been done before, its answer lost: so an answer of the code
 * `done` is no failure.
 * @throws ApiError on any other one; the socket's error after some attempts
 */
export const sendStubbornly = async (client: KubeClient, request: ApiRequest, done: number): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.send(request);
      return;
    } catch (error) {
      if (isApiError(error, done)) return;
      if (error instanceof ApiError || attempt === attempts) throw error;
    }
  }
};

/** Requests of the bench under way at a time. */
const concurrency = 32;

/** Does this for each number from 0 on, many at a time. @throws the first failure */
export const forEachOf = async (count: number, work: (index: number) => Promise<unknown>): Promise<void> => {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
};
