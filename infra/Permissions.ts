import type { types } from '@pulumi/kubernetes';
import { ServiceAccount } from '@pulumi/kubernetes/core/v1/serviceAccount.js';
import { ClusterRole } from '@pulumi/kubernetes/rbac/v1/clusterRole.js';
import { ClusterRoleBinding } from '@pulumi/kubernetes/rbac/v1/clusterRoleBinding.js';
import { Role } from '@pulumi/kubernetes/rbac/v1/role.js';
import { RoleBinding } from '@pulumi/kubernetes/rbac/v1/roleBinding.js';
import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';

type PolicyRule = types.input.rbac.v1.PolicyRule;

export interface PermissionsArgs {
  /** The service account that is made. */
  readonly account: { readonly namespace: string; readonly name: string };
  /** What it may do in the whole cluster. */
  readonly cluster: readonly PolicyRule[];
  /** What it may do in single namespaces, which exist. */
  readonly namespaced: readonly { readonly namespace: string; readonly rules: readonly PolicyRule[] }[];
}

const rbac = 'rbac.authorization.k8s.io';

/** A service account and all that it may do. */
export class Permissions extends ComponentResource {
  constructor(name: string, { account, cluster, namespaced }: PermissionsArgs, options?: ComponentResourceOptions) {
    super('understudy:index:Permissions', name, {}, options);
    const parent = { parent: this };
    // With a name alone nothing would tell that it is ours, where up was killed while it was made.
    const labels = { app: account.name };
    new ServiceAccount(`${name}-account`, { metadata: { ...account, labels } }, parent);
    const subjects = [{ kind: 'ServiceAccount', ...account }];
    const roleName = `${account.namespace}:${account.name}`;
    new ClusterRole(`${name}-cluster-role`, { metadata: { name: roleName }, rules: [...cluster] }, parent);
    new ClusterRoleBinding(
      `${name}-cluster-binding`,
      { metadata: { name: roleName }, roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: roleName }, subjects },
      parent,
    );
    for (const { namespace, rules } of namespaced) {
      const metadata = { namespace, name: roleName };
      new Role(`${name}-${namespace}-role`, { metadata, rules: [...rules] }, parent);
      new RoleBinding(
        `${name}-${namespace}-binding`,
        { metadata, roleRef: { apiGroup: rbac, kind: 'Role', name: roleName }, subjects },
        parent,
      );
    }
    this.registerOutputs();
  }
}
