import { local } from '@pulumi/command';
import {
  all,
  ComponentResource,
  type ComponentResourceOptions,
  interpolate,
  type Output,
  output,
} from '@pulumi/pulumi';
import { silentProgress } from '../common/progress.ts';
import { buildServiceImage } from '../image/build.ts';
import { understudyCommand } from './command.ts';

export interface ImageArgs {
  /** Repository without a tag: 'understudy.local/kms-plugin'. */
  readonly repository: string;
  /** Absolute path of the service's main TypeScript file. */
  readonly entryPoint: string;
  /** Flags of Node; those of a service that is asked much where left out. */
  readonly nodeFlags?: readonly string[];
  /** The cluster whose nodes are to have it. */
  readonly clusterName: string;
  /** How many nodes there are: new ones need the image too. */
  readonly nodeCount: number;
}

/** The image of a service, built by this program and put on every node. A changed service has another reference. */
export class Image extends ComponentResource {
  /** What pods name, known once all nodes have it. */
  readonly reference: Output<string>;
  /** `<repository>@sha256:<digest>`, known at once. */
  readonly digestReference: Output<string>;

  constructor(name: string, args: ImageArgs, options?: ComponentResourceOptions) {
    super('understudy:index:Image', name, {}, options);
    const { repository, entryPoint, nodeFlags } = args;
    const service = { name: repository, entryPoint, ...(nodeFlags && { nodeFlags }) };
    const image = output(buildServiceImage(service, silentProgress));
    const built = image.reference;
    this.digestReference = interpolate`${repository}@${image.digest}`;
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
