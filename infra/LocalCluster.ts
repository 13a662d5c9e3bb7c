import { local } from '@pulumi/command';
import { ComponentResource, type ComponentResourceOptions, type Output, secret, unsecret } from '@pulumi/pulumi';
import { understudyCommand } from './command.ts';

export interface LocalClusterArgs {
  /** Prefix of the node names; a DNS label. */
  readonly clusterName: string;
  readonly controlPlanes: 1 | 3;
  readonly workers: number;
  /** Whether the cluster may reach beyond this machine. */
  readonly egress: boolean;
  /** Whether keys in etcd have OpenShift's prefix. */
  readonly openshift: boolean;
  /** Docker's config.json for the kubelets, as text; secret. */
  readonly registryCredentials?: Output<string>;
}

/** What `plumbing start-cluster` prints. */
export interface StartedCluster {
  readonly kubeconfig: string;
  readonly controlPlaneAddresses: string[];
  /** PEM, for whoever reads etcd itself. */
  readonly etcd: {
    readonly authorityCertificate: string;
    readonly clientCertificate: string;
    readonly clientKey: string;
  };
  /** Reference of an image that does nothing; the nodes have it. */
  readonly pauseImage: string;
}

/** A cluster of real components in boxes on this machine. It answers once its API server does; its nodes come Ready after that. */
export class LocalCluster extends ComponentResource {
  /** An administrator's kubeconfig, inline; secret. */
  readonly kubeconfig: Output<string>;
  /** What goes with the cluster need not be deleted one by one: name it as `deletedWith`. */
  readonly boxes: local.Command;
  /** IPv4 addresses. */
  readonly controlPlaneAddresses: Output<string[]>;
  /** Secret: who has it reads and writes everything. */
  readonly etcd: Output<StartedCluster['etcd']>;
  readonly pauseImage: Output<string>;

  constructor(name: string, args: LocalClusterArgs, options?: ComponentResourceOptions) {
    super('understudy:index:LocalCluster', name, {}, options);
    const start = understudyCommand('plumbing', 'start-cluster', args.clusterName);
    const shape = {
      controlPlanes: args.controlPlanes,
      workers: args.workers,
      egress: args.egress,
      openshift: args.openshift,
    };
    this.boxes = new local.Command(
      `${name}-boxes`,
      {
        create: start,
        update: start,
        delete: understudyCommand('plumbing', 'remove-cluster', args.clusterName),
        // With credentials it is a secret as a whole, encrypted in the engine's state.
        stdin:
          args.registryCredentials?.apply((registryCredentials) => JSON.stringify({ ...shape, registryCredentials })) ??
          JSON.stringify(shape),
        // Its standard output holds the kubeconfig.
        logging: 'stderr',
      },
      {
        parent: this,
        additionalSecretOutputs: ['stdout'],
        customTimeouts: { create: '10m', update: '10m', delete: '5m' },
      },
    );
    const answer = this.boxes.stdout.apply((text) => JSON.parse(text) as StartedCluster);
    this.kubeconfig = secret(answer.kubeconfig);
    this.controlPlaneAddresses = unsecret(answer.controlPlaneAddresses);
    this.etcd = secret(answer.etcd);
    this.pauseImage = unsecret(answer.pauseImage);
    this.registerOutputs({ kubeconfig: this.kubeconfig, controlPlaneAddresses: this.controlPlaneAddresses });
  }
}
