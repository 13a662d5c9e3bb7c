import { Namespace } from '@pulumi/kubernetes/core/v1/namespace.js';
import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';

/** Where OpenShift's operators keep what the encryption controllers read and write. */
export const openShiftNamespaces = {
  config: 'openshift-config',
  configManaged: 'openshift-config-managed',
  kubeApiServer: 'openshift-kube-apiserver',
  kubeApiServerOperator: 'openshift-kube-apiserver-operator',
} as const;

/** The namespaces of {@link openShiftNamespaces}. */
export class OpenShiftNamespaces extends ComponentResource {
  constructor(name: string, options?: ComponentResourceOptions) {
    super('understudy:index:OpenShiftNamespaces', name, {}, options);
    for (const namespace of Object.values(openShiftNamespaces)) {
      new Namespace(
        `${name}-${namespace}`,
        {
          metadata: {
            name: namespace,
            // The installer writes the node's files.
            labels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
          },
        },
        { parent: this },
      );
    }
    this.registerOutputs();
  }
}
