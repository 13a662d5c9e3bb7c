import type { KubeClient } from '../../providers/kubernetes/client.ts';
import { listOf } from '../encryption/objects.ts';
import { isReady, nodeWithConditions } from '../status/cluster.ts';

/** How many nodes of a cluster are Ready. */
export const readyNodes = async (client: KubeClient): Promise<number> => {
  const signal = AbortSignal.timeout(10_000);
  const { body } = await client.send({ method: 'GET', path: '/api/v1/nodes', signal });
  return listOf(nodeWithConditions)
    .parse(body)
    .items.filter(({ status }) => isReady(status.conditions)).length;
};
