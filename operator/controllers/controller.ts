import type { Action, ControllerName } from '../action.ts';
import type { ConditionWish } from '../conditions.ts';
import type { Situation } from '../situation.ts';

/** What a controller wants. Without conditions, those that it set earlier stay. */
export interface Outcome {
  readonly actions: readonly Action[];
  readonly conditions: readonly ConditionWish[] | undefined;
  /** Milliseconds after which to look again though nothing changes; undefined: whenever. */
  readonly recheckAfterMs?: number;
}

export interface Controller {
  readonly name: ControllerName;
  /** Its conditions while it rests. */
  readonly resting: readonly ConditionWish[];
  /** @throws errors that its Degraded condition is to show */
  readonly decide: (situation: Situation) => Outcome;
  /** Its conditions after an error; undefined: those that it set earlier stay. */
  readonly failed: (message: string) => readonly ConditionWish[] | undefined;
}

/** How soon a step is looked at again that API servers or plugins take in a second or two, and nobody tells of. */
export const soonMs = 500;
