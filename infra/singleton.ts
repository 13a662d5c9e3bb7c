import { CustomResourcePatch } from '@pulumi/kubernetes/apiextensions/customResourcePatch.js';
import type { CustomResourceOptions } from '@pulumi/pulumi';

export interface SingletonArgs {
  readonly apiVersion: string;
  readonly kind: string;
  /** `cluster` where left out. */
  readonly name?: string;
  readonly spec?: object;
}

/**
 * The one object of a kind. Applied, which creates it as well, and not created: the API server keeps whoever creates an
 * object of a new kind waiting for two seconds.
 * @see https://github.com/kubernetes/kubernetes/pull/99199
 */
export const singleton = (
  name: string,
  { name: objectName = 'cluster', ...args }: SingletonArgs,
  options: CustomResourceOptions,
): CustomResourcePatch => new CustomResourcePatch(name, { ...args, metadata: { name: objectName } }, options);
