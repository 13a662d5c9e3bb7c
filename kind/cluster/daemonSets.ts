import { type ApiClient, expectOk } from '../../cluster/apiClient.ts';
import { spoofed } from '../../common/hollowNodes.ts';

interface Term {
  readonly matchExpressions?: readonly { readonly key: string }[];
}

/** What this needs of a DaemonSet. */
export interface DaemonSetObject {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly affinity?: {
          readonly nodeAffinity?: {
            readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms?: readonly Term[] };
          };
        };
      };
    };
  };
}

const keepsOff = { key: spoofed.key, operator: 'NotIn', values: [spoofed.value] };

/** The strategic merge patch that keeps a DaemonSet off hollow nodes; undefined where it says something of them already. */
export const keepOffPatch = ({ spec }: DaemonSetObject): object | undefined => {
  const { affinity } = spec.template.spec;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (terms.some(({ matchExpressions = [] }) => matchExpressions.some(({ key }) => key === spoofed.key)))
    return undefined;
  const kept = (terms.length > 0 ? terms : [{}]).map(({ matchExpressions = [], ...term }: Term) => ({
    ...term,
    matchExpressions: [...matchExpressions, keepsOff],
  }));
  const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: kept } };
  return { spec: { template: { spec: { affinity: { nodeAffinity: required } } } } };
};

/**
 * Keeps kube-proxy, and whatever else kubeadm and kind put on every node, off hollow nodes: it was made before there is
 * anything that places DaemonSets, and its pods would wait there for ever.
 */
export const keepOffHollowNodes = async (api: ApiClient): Promise<void> => {
  const path = '/apis/apps/v1/namespaces/kube-system/daemonsets';
  const { body } = expectOk(await api.ask('GET', path), 'list the DaemonSets of kube-system');
  const { items } = JSON.parse(body) as { readonly items: readonly DaemonSetObject[] };
  for (const daemonSet of items) {
    const patch = keepOffPatch(daemonSet);
    const { name } = daemonSet.metadata;
    if (patch === undefined) continue;
    const type = 'application/strategic-merge-patch+json';
    expectOk(await api.ask('PATCH', `${path}/${name}`, patch, type), `keep DaemonSet ${name} off hollow nodes`);
  }
};
