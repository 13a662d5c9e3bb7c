import { KubeConfig } from '@kubernetes/client-node';
import { readAccess } from '../cluster/access.ts';
import { groupLabel } from '../common/hollowNodes.ts';
import { clientOf } from '../common/kubeConfig.ts';
import type { Progress } from '../common/progress.ts';
import { actOnNodes } from '../hollow/nodes/act.ts';
import { clusterDirOf } from './stack.ts';

interface NodeList {
  readonly items?: readonly { readonly metadata: { readonly name: string } }[];
}

/** Removes the nodes that hollow groups left, and what was on them: whoever tended them is gone. Nothing where the cluster is. */
export const removeHollowNodes = async (stack: string, progress: Progress): Promise<void> => {
  const access = await readAccess(clusterDirOf(stack));
  if (access === undefined) return;
  const config = new KubeConfig();
  config.loadFromString(access.kubeconfig);
  const client = clientOf(config);
  try {
    const query = { labelSelector: groupLabel };
    const { items = [] } = await client.send<NodeList>({ method: 'GET', path: '/api/v1/nodes', query });
    await progress.phase(`remove ${items.length} hollow nodes`, () =>
      actOnNodes(
        client,
        items.map(({ metadata }) => ({ kind: 'remove', node: metadata.name })),
      ),
    );
  } finally {
    client.close();
  }
};
