import type { KubeClient } from '../common/kubeClient.ts';

interface DaemonSetList {
  readonly items?: readonly { readonly metadata: { readonly namespace: string; readonly name: string } }[];
}

const collection = '/apis/apps/v1/daemonsets';

/**
 * Has every DaemonSet pass admission once more: those from before there were hollow nodes would spread onto them. A change of nothing will do.
 * @throws what the API server says
 */
export const touchDaemonSets = async (client: KubeClient): Promise<void> => {
  const { items = [] } = await client.send<DaemonSetList>({ method: 'GET', path: collection });
  for (const { metadata } of items) {
    const path = `/apis/apps/v1/namespaces/${metadata.namespace}/daemonsets/${metadata.name}`;
    await client.send({ method: 'PATCH', path, body: {}, contentType: 'application/merge-patch+json' });
  }
};
