import { type ApiClient, expectOk } from './apiClient.ts';

/** As whom CoreDNS asks the API server. */
export const dnsUser = 'system:coredns';

const rbac = 'rbac.authorization.k8s.io';

const role = {
  apiVersion: `${rbac}/v1`,
  kind: 'ClusterRole',
  metadata: { name: dnsUser },
  rules: [
    { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ],
};

const binding = {
  apiVersion: `${rbac}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name: dnsUser },
  roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: dnsUser },
  subjects: [{ apiGroup: rbac, kind: 'User', name: dnsUser }],
};

/**
 * Lets CoreDNS look at what it answers for. Where it is refused once, it comes back after growing pauses, also much later:
 * whenever an API server hands over to the next one.
 */
export const allowDns = async (api: ApiClient): Promise<void> => {
  await Promise.all(
    Object.entries({ clusterroles: role, clusterrolebindings: binding }).map(async ([resource, object]) => {
      const path = `/apis/${rbac}/v1/${resource}/${dnsUser}?fieldManager=understudy&force=true`;
      expectOk(await api.ask('PATCH', path, object, 'application/apply-patch+yaml'), `let CoreDNS look: ${resource}`);
    }),
  );
};
