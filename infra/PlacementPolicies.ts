import { MutatingAdmissionPolicy } from '@pulumi/kubernetes/admissionregistration/v1/mutatingAdmissionPolicy.js';
import { MutatingAdmissionPolicyBinding } from '@pulumi/kubernetes/admissionregistration/v1/mutatingAdmissionPolicyBinding.js';
import { ValidatingAdmissionPolicy } from '@pulumi/kubernetes/admissionregistration/v1/validatingAdmissionPolicy.js';
import { ValidatingAdmissionPolicyBinding } from '@pulumi/kubernetes/admissionregistration/v1/validatingAdmissionPolicyBinding.js';
import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import { bindingOf, mutatingPolicies, validatingBindingOf, validatingPolicies } from './placement/policies.ts';

export interface PlacementPoliciesArgs {
  /** Names of the groups of hollow nodes: pods that name a node themselves are judged by its name. */
  readonly groups: readonly string[];
  /** Whether they place pods, or a webhook does: then they only refuse. */
  readonly placePods: boolean;
}

/**
 * Puts the pods of annotated namespaces on hollow nodes, and keeps all others off them. Pods that are created before the
 * API server has read the policies are not placed, so let hollow nodes depend on this.
 */
export class PlacementPolicies extends ComponentResource {
  constructor(name: string, { groups, placePods }: PlacementPoliciesArgs, options?: ComponentResourceOptions) {
    super('understudy:index:PlacementPolicies', name, {}, options);
    for (const policy of placePods ? mutatingPolicies : []) {
      const { name: policyName } = policy.metadata;
      const made = new MutatingAdmissionPolicy(`${name}-${policyName}`, policy, { parent: this });
      const binding = bindingOf(policy);
      new MutatingAdmissionPolicyBinding(`${name}-${policyName}-binding`, binding, { parent: this, dependsOn: [made] });
    }
    for (const policy of validatingPolicies(groups, placePods)) {
      const { name: policyName } = policy.metadata;
      const made = new ValidatingAdmissionPolicy(`${name}-${policyName}`, policy, { parent: this });
      const binding = validatingBindingOf(policy);
      new ValidatingAdmissionPolicyBinding(`${name}-${policyName}-binding`, binding, {
        parent: this,
        dependsOn: [made],
      });
    }
    this.registerOutputs();
  }
}
