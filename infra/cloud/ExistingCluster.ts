import { local } from '@pulumi/command';
import { ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import { understudyCommand } from '../command.ts';
import type { StackSettings } from '../settings.ts';

export interface ExistingClusterArgs {
  readonly stackName: string;
  readonly settings: Pick<StackSettings, 'platform' | 'encryption' | 'cloud'>;
}

/** What `plumbing check-cloud` prints. */
export interface CheckedCluster {
  /** OpenShift's. */
  readonly version: string;
  /** `spec.encryption.type` of before the stack was there; what it goes back to. */
  readonly encryptionBefore: StackSettings['encryption'];
}

/** An OpenShift that exists: checked before anything in it is changed, never made or removed. */
export class ExistingCluster extends ComponentResource {
  readonly version: Output<string>;
  readonly encryptionBefore: Output<StackSettings['encryption']>;

  constructor(name: string, args: ExistingClusterArgs, options?: ComponentResourceOptions) {
    super('understudy:cloud:ExistingCluster', name, {}, options);
    const check = understudyCommand('plumbing', 'check-cloud', args.stackName);
    const checked = new local.Command(
      `${name}-check`,
      {
        create: check,
        update: check,
        // What it checks is in the stack's settings; it is here so that a change of them is checked again.
        stdin: JSON.stringify(args.settings),
        logging: 'stderr',
      },
      { parent: this },
    );
    const answer = checked.stdout.apply((text) => JSON.parse(text) as CheckedCluster);
    this.version = answer.version;
    this.encryptionBefore = answer.encryptionBefore;
    this.registerOutputs({ version: this.version });
  }
}
