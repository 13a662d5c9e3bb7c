import { local } from '@pulumi/command';
import { ComponentResource, type ComponentResourceOptions, type Output, output, unsecret } from '@pulumi/pulumi';
import type { BuiltImage } from '../../image/build.ts';
import { understudyCommand } from '../command.ts';

export interface PushedImageArgs {
  readonly built: Promise<BuiltImage>;
  /** Where to, without a tag: 'quay.io/me/kms-plugin'. */
  readonly repository: string;
  /** Docker's config.json as text; secret. */
  readonly registryCredentials?: Output<string>;
}

/** An image that this program built, in a registry. It stays there: who else pulls it is not known. */
export class PushedImage extends ComponentResource {
  /** `<repository>@sha256:<digest>`, known once it is there. */
  readonly reference: Output<string>;

  constructor(name: string, args: PushedImageArgs, options?: ComponentResourceOptions) {
    super('understudy:cloud:PushedImage', name, {}, options);
    const push = output(args.built).apply(({ reference }) =>
      understudyCommand('plumbing', 'push-image', reference, args.repository),
    );
    const pushed = new local.Command(
      `${name}-in-registry`,
      { create: push, update: push, stdin: args.registryCredentials ?? '', logging: 'stderr' },
      { parent: this },
    );
    this.reference = unsecret(pushed.stdout);
    this.registerOutputs({ reference: this.reference });
  }
}
