import { local } from '@pulumi/command';
import { Secret } from '@pulumi/kubernetes/core/v1/secret.js';
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  jsonStringify,
  type Output,
  output,
  type Resource,
} from '@pulumi/pulumi';
import { stackLabel } from '../common/stackLabel.ts';
import { understudyCommand } from './command.ts';
import { appRoleSecret, type KmsConfiguration } from './kmsConfiguration.ts';
import { openShiftNamespaces } from './OpenShiftNamespaces.ts';
import type { StackSettings } from './settings.ts';

export interface ApiServerEncryptionArgs {
  readonly clusterName: string;
  /** `spec.encryption.type` of `apiservers.config.openshift.io/cluster`. */
  readonly type: StackSettings['encryption'];
  /** What it is when the stack has gone. */
  readonly typeAfter: Input<StackSettings['encryption']>;
  /** What a patch to KMS names; left out where the stack has no plugin that the cluster's operator could use. */
  readonly kms?: Output<KmsConfiguration>;
  /** How long a first wait may take, and any other, as Go durations. */
  readonly within: { readonly first: string; readonly later: string };
  /** What carries out the patch; it comes up while what the patch refers to is made. */
  readonly carriers: readonly Resource[];
}

/** The AppRole with which the plugin would log in to a Vault. It stands in for one, so this opens nothing. */
const appRole = { 'role-id': 'understudy', 'secret-id': 'opens-nothing' };

/**
 * The patch of `apiservers.config.openshift.io/cluster`, and the wait for what it asks for. When it goes, everything is
 * stored as it was before, so that the plugin can go after it.
 */
export class ApiServerEncryption extends ComponentResource {
  constructor(name: string, args: ApiServerEncryptionArgs, options?: ComponentResourceOptions) {
    super('understudy:index:ApiServerEncryption', name, {}, options);
    const { clusterName, type, typeAfter, within, carriers } = args;
    const parent = { parent: this };
    // There before anything is asked for, so that nothing that fails keeps it from being taken back.
    const undo = new local.Command(
      `${name}-undo`,
      {
        delete: output(typeAfter).apply((after) =>
          understudyCommand('plumbing', 'undo-encryption', clusterName, after),
        ),
        logging: 'stderr',
      },
      {
        ...parent,
        dependsOn: args.kms === undefined ? [] : [this.appRole(name, clusterName)],
        customTimeouts: { delete: within.later },
      },
    );
    const asked = args.kms === undefined ? undo : this.configure(name, args.kms, args, undo);
    const encrypt = understudyCommand('plumbing', 'encrypt', clusterName, type);
    new local.Command(
      `${name}-type`,
      { create: encrypt, update: encrypt, logging: 'stderr' },
      { ...parent, dependsOn: [asked, ...carriers], customTimeouts: { create: within.first, update: within.later } },
    );
    this.registerOutputs();
  }

  private appRole(name: string, stack: string): Secret {
    const metadata = {
      namespace: openShiftNamespaces.config,
      name: appRoleSecret,
      labels: { [stackLabel]: stack },
    };
    return new Secret(`${name}-approle`, { metadata, stringData: appRole }, { parent: this });
  }

  private configure(
    name: string,
    kms: Output<KmsConfiguration>,
    { clusterName, type }: ApiServerEncryptionArgs,
    undo: Resource,
  ): Resource {
    return new local.Command(
      `${name}-kms`,
      {
        // What carries it out begins as soon as it is there, also before anybody waits for it.
        create: understudyCommand('plumbing', 'configure-kms', clusterName, type),
        update: understudyCommand('plumbing', 'configure-kms', clusterName),
        stdin: jsonStringify(kms),
        logging: 'stderr',
      },
      { parent: this, dependsOn: [undo] },
    );
  }
}
