import { type ApiClient, expectOk } from '../../cluster/apiClient.ts';
import { cniConfiguration } from '../../cluster/nodeConfiguration.ts';
import { waitFor } from '../../common/waitFor.ts';
import type { EngineName } from './engine.ts';
import { inNode, type KindNode } from './nodes.ts';

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly podCIDR?: string };
  }[];
}

/** The network of each node's pods, as the controller manager hands them out, by the node's name. */
const podNetworks = (api: ApiClient, nodes: readonly KindNode[]): Promise<ReadonlyMap<string, string>> =>
  waitFor(
    async () => {
      const { body } = expectOk(await api.ask('GET', '/api/v1/nodes'), 'list the nodes');
      const { items } = JSON.parse(body) as NodeList;
      const found = items.flatMap(({ metadata, spec }) =>
        spec.podCIDR ? [[metadata.name, spec.podCIDR] as const] : [],
      );
      const byName = new Map(found);
      const missing = nodes.filter(({ name }) => !byName.has(name)).map(({ name }) => name);
      if (missing.length > 0) throw new Error(`none yet for ${missing.join(', ')}`);
      return byName;
    },
    { what: 'networks for pods', timeoutMs: 120_000, next: "see 'understudy logs kube-controller-manager'" },
  );

/**
 * Connects the pods of all nodes, as kind's own network plugin would, whose image is in a registry: a configuration
 * for the kubelet's network plugins, and routes to the other nodes' pods. To be repeated after a node was started again.
 */
export const connectPods = async (engine: EngineName, api: ApiClient, nodes: readonly KindNode[]): Promise<void> => {
  const networks = await podNetworks(api, nodes);
  await Promise.all(
    nodes.map(async (node) => {
      const others = nodes.filter((other) => other !== node);
      const routes = others.map((other) => `ip route replace ${networks.get(other.name)} via ${other.address}`);
      const write =
        'cat > /etc/cni/net.d/.understudy && mv /etc/cni/net.d/.understudy /etc/cni/net.d/10-understudy.conflist';
      const script = ['set -e', ...routes, write].join('\n');
      await inNode(
        engine,
        node.name,
        ['sh', '-c', script],
        cniConfiguration({ podCidr: networks.get(node.name) ?? '' }),
      );
    }),
  );
};
