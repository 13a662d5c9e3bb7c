import { local } from '@pulumi/command';
import {
  all,
  ComponentResource,
  type ComponentResourceOptions,
  interpolate,
  type Output,
  output,
} from '@pulumi/pulumi';
import type { BuiltImage } from '../image/build.ts';
import { understudyCommand } from './command.ts';

export interface ImageArgs {
  /** Repository without a tag: 'understudy.local/kms-plugin'. */
  readonly repository: string;
  readonly built: Promise<BuiltImage>;
  /** The cluster whose nodes are to have it. */
  readonly clusterName: string;
  /** How many nodes there are: new ones need the image too. */
  readonly nodeCount: number;
}

/** An image that this program built, put on every node. A changed one has another reference. */
export class Image extends ComponentResource {
  /** What pods name, known once all nodes have it. */
  readonly reference: Output<string>;
  /** `<repository>@sha256:<digest>`, known at once. */
  readonly digestReference: Output<string>;

  constructor(name: string, args: ImageArgs, options?: ComponentResourceOptions) {
    super('understudy:index:Image', name, {}, options);
    const image = output(args.built);
    const built = image.reference;
    this.digestReference = interpolate`${args.repository}@${image.digest}`;
    const load = built.apply((reference) =>
      understudyCommand('plumbing', 'load-image', args.clusterName, reference, String(args.nodeCount)),
    );
    const loaded = new local.Command(
      `${name}-on-nodes`,
      { create: load, update: load, logging: 'stderr' },
      { parent: this },
    );
    this.reference = all([built, loaded.id]).apply(([reference]) => reference);
    this.registerOutputs({ reference: this.reference });
  }
}
