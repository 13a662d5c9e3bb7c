import { Failure } from '../common/failure.ts';
import type { ExcludedProblems } from './namespaces/handler.ts';
import type { PlacementRules } from './placementHandler.ts';

/** Which pods go where. @throws Failure: there are no such rules yet */
export const loadPlacementRules = (): PlacementRules & { readonly excludedProblems: ExcludedProblems } => {
  throw new Failure({ tried: 'place pods', got: 'there are no rules yet', next: 'leave out --placement' });
};
