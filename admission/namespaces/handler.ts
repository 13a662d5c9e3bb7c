import { excludedAnnotation } from '../../common/hollowNodes.ts';
import { type Handler, objectOf } from '../review.ts';
import type { Namespace } from './follow.ts';
import { labelPatch } from './label.ts';

/** Why an annotation `spoofed_excluded_pods` cannot have this value, a sentence without its subject for each reason. */
export type ExcludedProblems = (text: string) => readonly string[];

/**
 * Labels a namespace in the same request that annotates it, and refuses expressions that are invalid. Those that were there before stay:
 * a namespace must be able to change otherwise.
 */
export const namespaceHandler =
  (problemsOf: ExcludedProblems): Handler =>
  async ({ kind, object, oldObject }) => {
    if (kind.kind !== 'Namespace') return {};
    const namespace = objectOf<Namespace>(object, 'object');
    const text = namespace.metadata.annotations?.[excludedAnnotation];
    const before =
      oldObject === undefined
        ? undefined
        : objectOf<Namespace>(oldObject, 'oldObject').metadata.annotations?.[excludedAnnotation];
    const problems = text === undefined || text === before ? [] : problemsOf(text);
    if (problems.length > 0) return { refused: `annotation ${excludedAnnotation} ${problems.join('; ')}` };
    return { patch: labelPatch(namespace) };
  };
