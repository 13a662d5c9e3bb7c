import { hollowNamespace } from '../../common/hollowNodes.ts';
import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import { timestampText } from '../../common/timestamp.ts';
import { newNode } from './desired.ts';
import type { NodeAction } from './plan.ts';

/** How many requests are under way at a time. */
const concurrency = 32;

const merge = 'application/merge-patch+json';

const unless = async (code: number, work: Promise<unknown>): Promise<void> => {
  await work.catch((error: unknown) => {
    if (!isApiError(error, code)) throw error;
  });
};

interface PodList {
  readonly items?: readonly { readonly metadata: { readonly namespace: string; readonly name: string } }[];
}

const remove = async (client: KubeClient, node: string): Promise<void> => {
  // First, so that nothing more is placed there.
  await unless(404, client.send({ method: 'DELETE', path: `/api/v1/nodes/${node}` }));
  const query = { fieldSelector: `spec.nodeName=${node}` };
  const pods = await client.send<PodList>({ method: 'GET', path: '/api/v1/pods', query });
  for (const { metadata } of pods.items ?? []) {
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
    await unless(404, client.send({ method: 'DELETE', path, query: { gracePeriodSeconds: '0' } }));
  }
};

const act = async (client: KubeClient, address: string, action: NodeAction): Promise<void> => {
  switch (action.kind) {
    case 'create': {
      const body = newNode(action.group, action.index, address, timestampText(Date.now()));
      return unless(409, client.send({ method: 'POST', path: '/api/v1/nodes', body }));
    }
    case 'patch': {
      const path = `/api/v1/nodes/${action.node}`;
      const { status, node } = action.patch;
      if (status !== undefined) {
        await client.send({ method: 'PATCH', path: `${path}/status`, body: status, contentType: merge });
      }
      return unless(404, client.send({ method: 'PATCH', path, body: node, contentType: merge }));
    }
    case 'remove':
      return remove(client, action.node);
    case 'restart':
      return unless(
        404,
        client.send({ method: 'DELETE', path: `/api/v1/namespaces/${hollowNamespace}/pods/${action.pod}` }),
      );
  }
};

/**
 * Does all of it, much at a time, and what can be done where some of it fails.
 * @param address InternalIP of the nodes that are made
 * @throws the first failure, at the end
 */
export const actOnNodes = async (
  client: KubeClient,
  actions: readonly NodeAction[],
  address = '127.0.0.1',
): Promise<void> => {
  const failures: unknown[] = [];
  const queue = actions.values();
  const worker = async (): Promise<void> => {
    for (const action of queue) await act(client, address, action).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (failures.length > 0) throw failures[0];
};
