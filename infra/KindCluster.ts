import { local } from '@pulumi/command';
import { ComponentResource, type ComponentResourceOptions, type Output, secret, unsecret } from '@pulumi/pulumi';
import { understudyCommand } from './command.ts';
import type { KindSettings } from './kindSettings.ts';
import type { StartedCluster } from './LocalCluster.ts';

export interface KindClusterArgs {
  /** Its name in kind, and the prefix of the node names. */
  readonly clusterName: string;
  readonly controlPlanes: 1 | 3;
  readonly workers: number;
  /** Whether keys in etcd have OpenShift's prefix. */
  readonly openshift: boolean;
  readonly kind: KindSettings;
  /** Docker's config.json for the kubelets, as text; secret. */
  readonly registryCredentials?: Output<string>;
}

/** A kind cluster, with the same outputs as a {@link LocalCluster}. */
export class KindCluster extends ComponentResource {
  /** An administrator's kubeconfig, inline; secret. */
  readonly kubeconfig: Output<string>;
  /** What goes with the cluster need not be deleted one by one: name it as `deletedWith`. */
  readonly boxes: local.Command;
  /** Secret: who has it reads and writes everything. */
  readonly etcd: Output<StartedCluster['etcd']>;
  readonly pauseImage: Output<string>;

  constructor(name: string, args: KindClusterArgs, options?: ComponentResourceOptions) {
    super('understudy:index:KindCluster', name, {}, options);
    const start = understudyCommand('plumbing', 'start-kind', args.clusterName);
    const { clusterName: _name, registryCredentials, ...shape } = args;
    this.boxes = new local.Command(
      `${name}-nodes`,
      {
        create: start,
        update: start,
        delete: understudyCommand('plumbing', 'remove-kind', args.clusterName),
        // The shape is in the stack's settings; it is here so that a change of them is one of the resource. With credentials
        // it is a secret as a whole, encrypted in the engine's state.
        stdin:
          registryCredentials?.apply((credentials) => JSON.stringify({ ...shape, registryCredentials: credentials })) ??
          JSON.stringify(shape),
        // Its standard output holds the kubeconfig.
        logging: 'stderr',
      },
      {
        parent: this,
        additionalSecretOutputs: ['stdout'],
        customTimeouts: { create: '20m', update: '20m', delete: '5m' },
      },
    );
    const answer = this.boxes.stdout.apply((text) => JSON.parse(text) as StartedCluster);
    this.kubeconfig = secret(answer.kubeconfig);
    this.etcd = secret(answer.etcd);
    this.pauseImage = unsecret(answer.pauseImage);
    this.registerOutputs({ kubeconfig: this.kubeconfig });
  }
}
