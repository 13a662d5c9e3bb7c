import { CustomResourceDefinition } from '@pulumi/kubernetes/apiextensions/v1/customResourceDefinition.js';
import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import { kmsBackendDefinition } from '../operator/kmsBackend.ts';
import { singleton } from './singleton.ts';

/** The KMS behind all plugins of the cluster: which versions its keys have, and what is wrong with it. */
export class KmsBackend extends ComponentResource {
  constructor(name: string, options?: ComponentResourceOptions) {
    super('understudy:index:KmsBackend', name, {}, options);
    const definition = new CustomResourceDefinition(`${name}-definition`, kmsBackendDefinition, { parent: this });
    singleton(
      `${name}-cluster`,
      { apiVersion: 'understudy.dev/v1alpha1', kind: 'KMSBackend' },
      { parent: this, dependsOn: [definition] },
    );
    this.registerOutputs();
  }
}
