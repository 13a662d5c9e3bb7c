import type { Access } from './observation.ts';

const pluginNamespace = 'openshift-kms-plugin';

const inGroup = (group: string, resource: string, verbs: readonly string[], place: Partial<Access> = {}): Access[] =>
  verbs.map((verb) => ({ verb, group, resource, ...place }));

const made = ['create', 'patch', 'delete'];

/** What both deployments read, and the switch that they set. */
const common: readonly Access[] = [
  ...inGroup('config.openshift.io', 'apiservers', ['get', 'patch'], { name: 'cluster' }),
  ...inGroup('operator.openshift.io', 'kubeapiservers', ['get'], { name: 'cluster' }),
  ...inGroup('', 'secrets', ['list'], { namespace: 'openshift-config-managed' }),
  ...inGroup('', 'nodes', ['list']),
];

const daemonset: readonly Access[] = [
  ...inGroup('', 'namespaces', made),
  ...inGroup('security.openshift.io', 'securitycontextconstraints', made),
  ...inGroup('', 'serviceaccounts', made, { namespace: pluginNamespace }),
  ...inGroup('', 'secrets', made, { namespace: pluginNamespace }),
  ...inGroup('apps', 'daemonsets', made, { namespace: pluginNamespace }),
  ...inGroup('', 'pods', ['list', 'watch'], { namespace: pluginNamespace }),
];

const sidecar: readonly Access[] = inGroup('', 'secrets', made, { namespace: 'openshift-config' });

/** What `up` and `down` do in a cluster, each access once. */
export const accessesOf = (deployment: 'sidecar' | 'daemonset'): readonly Access[] => [
  ...common,
  ...(deployment === 'daemonset' ? daemonset : sidecar),
];
