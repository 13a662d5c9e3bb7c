import type { KindSpec } from './configuration.ts';
import type { EngineName } from './engine.ts';
import { inNode, type KindNode } from './nodes.ts';

/** Where a node sees how its pods are connected. */
export const networkPath = '/etc/cni/net.d/10-understudy.conflist';

/** The network of the pods of a node, by its place from 1 on: control planes, then workers. In kind's range for pods, 10.244.0.0/16. */
export const podNetworkAt = (place: number): string => `10.244.${place}.0/24`;

/** The place of a node, by the name that kind gives it: `us-kind-control-plane`, `us-kind-worker3`. */
export const placeOf = (name: string, { controlPlanes }: Pick<KindSpec, 'controlPlanes'>): number => {
  const [, role, number] = /-(control-plane|worker)(\d*)$/.exec(name) ?? [];
  return Number(number || 1) + (role === 'worker' ? controlPlanes : 0);
};

/**
 * Leads each node to the pods of all others, as kind's own network plugin would, whose image is in a registry. To be repeated
 * after a node was started again.
 */
export const connectPods = async (engine: EngineName, spec: KindSpec, nodes: readonly KindNode[]): Promise<void> => {
  await Promise.all(
    nodes.map(async (node) => {
      const routes = nodes
        .filter((other) => other !== node)
        .map((other) => `ip route replace ${podNetworkAt(placeOf(other.name, spec))} via ${other.address}`);
      if (routes.length > 0) await inNode(engine, node.name, ['sh', '-c', ['set -e', ...routes].join('\n')]);
    }),
  );
};
