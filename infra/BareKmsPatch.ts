import { MutatingAdmissionPolicy } from '@pulumi/kubernetes/admissionregistration/v1/mutatingAdmissionPolicy.js';
import { MutatingAdmissionPolicyBinding } from '@pulumi/kubernetes/admissionregistration/v1/mutatingAdmissionPolicyBinding.js';
import { ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import { applyConfiguration } from './applyConfiguration.ts';
import type { KmsConfiguration } from './kmsConfiguration.ts';

export interface BareKmsPatchArgs {
  readonly kms: Output<KmsConfiguration>;
}

/**
 * Lets `{"spec":{"encryption":{"type":"KMS"}}}` do: the `kms` block that OpenShift insists on is filled in where it is
 * missing. OpenShift's own encryption suite patches so, with `-provider KMS`.
 */
export class BareKmsPatch extends ComponentResource {
  constructor(name: string, { kms }: BareKmsPatchArgs, options?: ComponentResourceOptions) {
    super('understudy:index:BareKmsPatch', name, {}, options);
    const policyName = 'understudy-kms-defaults';
    const policy = new MutatingAdmissionPolicy(
      `${name}-policy`,
      {
        metadata: { name: policyName },
        spec: {
          failurePolicy: 'Fail',
          reinvocationPolicy: 'Never',
          matchConstraints: {
            resourceRules: [
              {
                apiGroups: ['config.openshift.io'],
                apiVersions: ['v1'],
                resources: ['apiservers'],
                operations: ['CREATE', 'UPDATE'],
              },
            ],
          },
          matchConditions: [
            {
              name: 'kms-without-a-block',
              expression:
                "has(object.spec.encryption) && object.spec.encryption.?type.orValue('') == 'KMS' && !has(object.spec.encryption.kms)",
            },
          ],
          mutations: [
            {
              patchType: 'ApplyConfiguration',
              applyConfiguration: {
                expression: kms.apply((block) => applyConfiguration({ spec: { encryption: { kms: block } } })),
              },
            },
          ],
        },
      },
      { parent: this },
    );
    new MutatingAdmissionPolicyBinding(
      `${name}-binding`,
      { metadata: { name: policyName }, spec: { policyName: policy.metadata.name } },
      { parent: this },
    );
    this.registerOutputs();
  }
}
