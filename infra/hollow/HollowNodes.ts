import { local } from '@pulumi/command';
import { ValidatingAdmissionPolicy } from '@pulumi/kubernetes/admissionregistration/v1/validatingAdmissionPolicy.js';
import { ValidatingAdmissionPolicyBinding } from '@pulumi/kubernetes/admissionregistration/v1/validatingAdmissionPolicyBinding.js';
import { ConfigMap } from '@pulumi/kubernetes/core/v1/configMap.js';
import { Service } from '@pulumi/kubernetes/core/v1/service.js';
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  type Resource,
} from '@pulumi/pulumi';
import type { HollowGroup } from '../../common/hollowGroups.ts';
import { groupsConfigMap, groupsKey, nodeAccount } from '../../common/hollowNodes.ts';
import { understudyCommand } from '../command.ts';
import { Permissions } from '../Permissions.ts';
import { HollowController } from './Controller.ts';
import { confinement } from './confinement.ts';
import { KubemarkGroup } from './KubemarkGroup.ts';
import { Kwok } from './Kwok.ts';
import { bootstrapFile, bootstrapKubeconfig } from './kubemark.ts';
import { namespace } from './names.ts';

export interface HollowNodesArgs {
  /** The cluster that they are in. */
  readonly clusterName: string;
  readonly groups: readonly HollowGroup[];
  /** References of images; the nodes have them. Of the engines, those that a group names. */
  readonly images: {
    readonly controller: Input<string>;
    readonly kubemark: Input<string> | undefined;
    readonly kwok: Input<string> | undefined;
  };
  /** Content of kwok's configuration file. */
  readonly kwokConfiguration: string;
  /** What keeps pods off hollow nodes and brings them there; no node is made before it is there. */
  readonly placement: readonly Resource[];
}

const app = (name: string) => ({ app: name });
const bootstrapName = 'hollow-node-bootstrap';

/** Nodes without machines, in the same cluster as the real ones; the namespace is there. */
export class HollowNodes extends ComponentResource {
  constructor(name: string, args: HollowNodesArgs, options?: ComponentResourceOptions) {
    super('understudy:index:HollowNodes', name, {}, options);
    const { groups, images, placement } = args;
    const parent = { parent: this };
    const confined = this.confine(name);
    // Deleted last, when nobody makes or tends nodes any more.
    const sweep = new local.Command(
      `${name}-sweep`,
      { create: 'true', delete: understudyCommand('plumbing', 'remove-hollow-nodes', args.clusterName) },
      parent,
    );
    const afterPlacement = { parent: this, dependsOn: [...placement, confined, sweep] };
    const nodeAddress = this.address(name);
    new HollowController(`${name}-controller`, { image: images.controller, nodeAddress }, afterPlacement);
    new ConfigMap(
      `${name}-groups`,
      {
        metadata: { namespace, name: groupsConfigMap, labels: app('hollow-nodes') },
        data: { [groupsKey]: JSON.stringify(groups) },
      },
      afterPlacement,
    );
    if (images.kwok !== undefined) {
      const { kwokConfiguration: configuration } = args;
      new Kwok(`${name}-kwok`, { image: images.kwok, configuration, nodeAddress }, afterPlacement);
    }
    const { kubemark: image } = images;
    if (image !== undefined) {
      const identity = this.identity(name);
      for (const group of groups.filter(({ engine }) => engine === 'kubemark')) {
        new KubemarkGroup(
          `${name}-${group.name}`,
          { group, image, accountName: nodeAccount.name, bootstrapName },
          { ...parent, dependsOn: [...placement, identity, sweep] },
        );
      }
    }
    this.registerOutputs();
  }

  private confine(name: string): Resource {
    const policyName = 'understudy-hollow-node-tenders';
    const metadata = { name: policyName, labels: app('hollow-nodes') };
    const policy = new ValidatingAdmissionPolicy(
      `${name}-confinement`,
      { metadata, spec: confinement },
      { parent: this },
    );
    return new ValidatingAdmissionPolicyBinding(
      `${name}-confinement-binding`,
      { metadata, spec: { policyName: policy.metadata.name, validationActions: ['Deny'] } },
      { parent: this },
    );
  }

  /** An address that leads to nobody else: who asks a kubelet of kwok's is refused at once. */
  private address(name: string): Output<string> {
    const service = new Service(
      `${name}-address`,
      {
        metadata: {
          namespace,
          name: 'kwok',
          labels: app('kwok'),
          // Without kwok it has no endpoints.
          annotations: { 'pulumi.com/skipAwait': 'true' },
        },
        spec: { selector: app('kwok'), ports: [{ name: 'kubelet', port: 10250 }] },
      },
      { parent: this },
    );
    return service.spec.clusterIP;
  }

  /** Who kubemark's pods are before they are nodes: an account that may ask for a certificate, and nothing else. */
  private identity(name: string): Resource {
    const parent = { parent: this };
    new ConfigMap(
      `${name}-bootstrap`,
      {
        metadata: { namespace, name: bootstrapName, labels: app('hollow-node') },
        data: { [bootstrapFile]: bootstrapKubeconfig() },
      },
      parent,
    );
    return new Permissions(
      `${name}-node`,
      {
        account: nodeAccount,
        cluster: [
          {
            apiGroups: ['certificates.k8s.io'],
            resources: ['certificatesigningrequests'],
            verbs: ['create', 'get', 'list', 'watch'],
          },
        ],
        namespaced: [],
      },
      parent,
    );
  }
}
