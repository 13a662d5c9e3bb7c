import { Failure } from '../../common/failure.ts';
import { annotationOf, describe, type KubeObject } from './objects.ts';
import type { PropagationPolicy } from './resource.ts';

/** The name was made up and may be made up anew. */
export const autonamed = 'pulumi.com/autonamed';
const skipAwait = 'pulumi.com/skipAwait';
const timeoutSeconds = 'pulumi.com/timeoutSeconds';
const patchForce = 'pulumi.com/patchForce';
const patchFieldManager = 'pulumi.com/patchFieldManager';
const deletionPropagationPolicy = 'pulumi.com/deletionPropagationPolicy';

/** Annotations that change what the official provider does and that this one does not know. */
export const unsupportedAnnotations = ['pulumi.com/waitFor', 'pulumi.com/replaceUnready'] as const;

const isTrue = (object: KubeObject, name: string): boolean => annotationOf(object, name) === 'true';

export const isAutonamed = (inputs: KubeObject): boolean => isTrue(inputs, autonamed);
export const skipsAwait = (inputs: KubeObject): boolean => isTrue(inputs, skipAwait);
export const forcesConflicts = (inputs: KubeObject): boolean => isTrue(inputs, patchForce);
export const fieldManagerOf = (inputs: KubeObject): string | undefined =>
  annotationOf(inputs, patchFieldManager) || undefined;

const defaultTimeoutMs = 600_000;

/**
 * How long to wait for an object.
 * @param customSeconds the resource's `customTimeouts`, 0 for none; it wins over the annotation.
 */
export const timeoutMsOf = (inputs: KubeObject, customSeconds: number): number => {
  if (customSeconds > 0) return customSeconds * 1000;
  const text = annotationOf(inputs, timeoutSeconds);
  if (text === undefined) return defaultTimeoutMs;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000;
  throw new Failure({
    tried: `read how long to wait for ${describe(inputs)}`,
    got: `the annotation ${timeoutSeconds} is '${text}'`,
    next: 'give it a number of seconds',
  });
};

export const propagationPolicyOf = (inputs: KubeObject): PropagationPolicy => {
  const policies: Readonly<Record<string, PropagationPolicy>> = { background: 'Background', orphan: 'Orphan' };
  return policies[annotationOf(inputs, deletionPropagationPolicy)?.toLowerCase() ?? ''] ?? 'Foreground';
};
