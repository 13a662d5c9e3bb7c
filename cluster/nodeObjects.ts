import { groupLabel } from '../common/hollowNodes.ts';
import { waitFor } from '../common/waitFor.ts';
import { type ApiClient, expectOk } from './apiClient.ts';
import type { NodePlan } from './plan.ts';

const conflict = 409;

/** What a kubelet may not say of itself (NodeRestriction), and what has to be there before the first pod is placed. */
const nodeObject = (node: NodePlan): object => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: node.name,
    labels:
      node.role === 'control-plane'
        ? // `master` is the name that OpenShift's manifests select.
          { 'node-role.kubernetes.io/control-plane': '', 'node-role.kubernetes.io/master': '' }
        : { 'node-role.kubernetes.io/worker': '' },
  },
  spec: { podCIDR: node.podCidr, podCIDRs: [node.podCidr] },
});

/** Waits until the API server answers; not for its `readyz`, which needs the KMS plugin, which needs the API server. */
export const waitForApi = (api: ApiClient, timeoutMs = 90_000): Promise<void> =>
  waitFor(async () => (expectOk(await api.ask('GET', '/livez'), 'reach /livez').status === 200 ? true : undefined), {
    what: 'kube-apiserver alive',
    timeoutMs,
    intervalMs: 50,
    next: "see 'understudy logs kube-apiserver' and 'understudy logs etcd'",
  }).then(() => {});

/** Declares the nodes; one whose kubelet was faster, or that is there from before, gets what is missing. */
export const declareNodes = async (api: ApiClient, nodes: readonly NodePlan[]): Promise<void> => {
  await Promise.all(
    nodes.map(async (node) => {
      const tried = `declare node ${node.name}`;
      const created = expectOk(await api.ask('POST', '/api/v1/nodes', nodeObject(node)), tried, [conflict]);
      if (created.status !== conflict) return;
      const merge = 'application/merge-patch+json';
      expectOk(await api.ask('PATCH', `/api/v1/nodes/${node.name}`, nodeObject(node), merge), tried);
    }),
  );
};

export const forgetNode = async (api: ApiClient, name: string): Promise<void> => {
  expectOk(await api.ask('DELETE', `/api/v1/nodes/${name}`), `delete node ${name}`, [404]);
};

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

/** The names of the real nodes that are Ready. */
export const readyNodes = async (api: ApiClient): Promise<ReadonlySet<string>> => {
  const path = `/api/v1/nodes?labelSelector=${encodeURIComponent(`!${groupLabel}`)}`;
  const response = expectOk(await api.ask('GET', path), 'list the nodes');
  const list = JSON.parse(response.body) as NodeList;
  const isReady = (node: NodeList['items'][number]): boolean =>
    node.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
  return new Set(list.items.filter(isReady).map((node) => node.metadata.name));
};
