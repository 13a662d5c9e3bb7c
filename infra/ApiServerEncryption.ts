import { local } from '@pulumi/command';
import { Secret } from '@pulumi/kubernetes/core/v1/secret.js';
import {
  ComponentResource,
  type ComponentResourceOptions,
  jsonStringify,
  type Output,
  type Resource,
} from '@pulumi/pulumi';
import { understudyCommand } from './command.ts';
import { appRoleSecret, type KmsConfiguration } from './kmsConfiguration.ts';
import { openShiftNamespaces } from './OpenShiftNamespaces.ts';
import type { StackSettings } from './settings.ts';

export interface ApiServerEncryptionArgs {
  readonly clusterName: string;
  /** `spec.encryption.type` of `apiservers.config.openshift.io/cluster`. */
  readonly type: StackSettings['encryption'];
  /** What a patch to KMS names. */
  readonly kms: Output<KmsConfiguration>;
  /** What carries out the patch; it comes up while what the patch refers to is made. */
  readonly carriers: readonly Resource[];
}

/** The AppRole with which the plugin would log in to a Vault. It stands in for one, so this opens nothing. */
const appRole = { 'role-id': 'understudy', 'secret-id': 'opens-nothing' };

/**
 * The patch of `apiservers.config.openshift.io/cluster`, and the wait for what it asks for. When it goes, everything is
 * decrypted first, so that the plugin can go after it.
 */
export class ApiServerEncryption extends ComponentResource {
  constructor(name: string, args: ApiServerEncryptionArgs, options?: ComponentResourceOptions) {
    super('understudy:index:ApiServerEncryption', name, {}, options);
    const parent = { parent: this };
    const secret = new Secret(
      `${name}-approle`,
      { metadata: { namespace: openShiftNamespaces.config, name: appRoleSecret }, stringData: appRole },
      parent,
    );
    const kms = new local.Command(
      `${name}-kms`,
      {
        // What carries it out begins as soon as it is there, also before anybody waits for it.
        create: understudyCommand('plumbing', 'configure-kms', args.clusterName, args.type),
        update: understudyCommand('plumbing', 'configure-kms', args.clusterName),
        stdin: jsonStringify(args.kms),
        logging: 'stderr',
      },
      { parent: this, dependsOn: [secret] },
    );
    const encrypt = understudyCommand('plumbing', 'encrypt', args.clusterName, args.type);
    new local.Command(
      `${name}-type`,
      {
        create: encrypt,
        update: encrypt,
        delete: understudyCommand('plumbing', 'encrypt', args.clusterName, 'identity'),
        logging: 'stderr',
      },
      {
        parent: this,
        dependsOn: [kms, ...args.carriers],
        customTimeouts: { create: '10m', update: '30m', delete: '30m' },
      },
    );
    this.registerOutputs();
  }
}
