import { local } from '@pulumi/command';
import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import { understudyCommand } from './command.ts';

export interface ApiServerEncryptionArgs {
  readonly clusterName: string;
  readonly controlPlanes: number;
}

/** Encryption of secrets and config maps in etcd: there once every API server has spoken to its plugin. */
export class ApiServerEncryption extends ComponentResource {
  constructor(name: string, args: ApiServerEncryptionArgs, options?: ComponentResourceOptions) {
    super('understudy:index:ApiServerEncryption', name, {}, options);
    new local.Command(
      `${name}-on`,
      {
        create: understudyCommand('plumbing', 'switch-encryption-on', args.clusterName),
        environment: { CONTROL_PLANES: String(args.controlPlanes) },
        logging: 'stderr',
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
