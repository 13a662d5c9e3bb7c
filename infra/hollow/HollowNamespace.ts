import { Namespace } from '@pulumi/kubernetes/core/v1/namespace.js';
import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import { namespace } from './names.ts';

/** The namespace of what simulates nodes and of the admission webhook. */
export class HollowNamespace extends ComponentResource {
  constructor(name: string, options?: ComponentResourceOptions) {
    super('understudy:index:HollowNamespace', name, {}, options);
    const labels = { app: 'hollow-nodes', 'pod-security.kubernetes.io/enforce': 'restricted' };
    new Namespace(`${name}-namespace`, { metadata: { name: namespace, labels } }, { parent: this });
    this.registerOutputs();
  }
}
