import type { ControllerName, Decision, ManagedConditions } from './action.ts';
import { nodesActive } from './clusterOperator/nodesActive.ts';
import { type ConditionWish, degraded, manage } from './conditions.ts';
import { conditionController } from './controllers/condition.ts';
import { type Controller, type Outcome, soonMs } from './controllers/controller.ts';
import { keyController, type RandomBytes } from './controllers/key.ts';
import { migrationController } from './controllers/migration.ts';
import { preflightController } from './controllers/preflight.ts';
import { pruneController } from './controllers/prune.ts';
import { rotationController } from './controllers/rotation.ts';
import { stateController } from './controllers/state.ts';
import type { Observation, OperatorCondition } from './observation.ts';
import { shouldRun } from './preconditions.ts';
import { type Situation, situationOf } from './situation.ts';

/** How often everything is looked at again though nothing was seen to change. */
export const resyncMs = 60_000;

const controllers = (randomBytes: RandomBytes): readonly Controller[] => [
  keyController(randomBytes),
  preflightController,
  stateController,
  migrationController,
  pruneController,
  rotationController,
  conditionController,
];

const failure = (controller: Controller, thrown: unknown): Outcome => ({
  actions: [],
  conditions: controller.failed(thrown instanceof Error ? thrown.message : String(thrown)),
  recheckAfterMs: soonMs,
});

const outcomeOf = (controller: Controller, situation: () => Situation): Outcome => {
  try {
    return controller.decide(situation());
  } catch (thrown) {
    return failure(controller, thrown);
  }
};

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/**
 * All that is to be done and said now. Depends on nothing but its arguments; an operator that died between two actions goes on by
 * deciding again.
 * @param now milliseconds since 1970
 */
export const decide = (observation: Observation, now: number, randomBytes: RandomBytes): Decision => {
  const { operator } = observation;
  if (operator === undefined) return { actions: [], conditions: [], converged: false, recheckAfterMs: resyncMs };
  const managed = (
    controller: Controller,
    wishes: readonly ConditionWish[] | undefined,
  ): readonly ManagedConditions[] =>
    wishes === undefined ? [] : [manage(controller.name, wishes, operator.conditions, now)];
  const all = controllers(randomBytes);
  const nodes = nodesActive(observation, now);
  if (!shouldRun(observation)) {
    const conditions = all.flatMap((controller) => managed(controller, controller.resting));
    return { actions: [], conditions: [...conditions, ...nodes], converged: false, recheckAfterMs: resyncMs };
  }
  const situation = once(() => situationOf(observation, now));
  const outcomes = all.map((controller) => ({ controller, outcome: outcomeOf(controller, situation) }));
  const converged = isSettled(situation);
  const waits = outcomes.map(({ outcome }) => outcome.recheckAfterMs ?? resyncMs);
  return {
    actions: outcomes.flatMap(({ outcome }) => outcome.actions),
    conditions: [...outcomes.flatMap(({ controller, outcome }) => managed(controller, outcome.conditions)), ...nodes],
    converged,
    recheckAfterMs: Math.min(...waits, converged ? resyncMs : soonMs),
  };
};

const isSettled = (situation: () => Situation): boolean => {
  try {
    return situation().settled !== undefined;
  } catch {
    return false;
  }
};

/** What a controller's conditions are after one of its actions failed. */
export const conditionsAfterFailure = (
  decision: Decision,
  failed: { readonly controller: ControllerName; readonly message: string },
  observed: readonly OperatorCondition[],
  now: number,
): readonly ManagedConditions[] =>
  decision.conditions.map((set) => {
    if (set.controller !== failed.controller) return set;
    const error = degraded(failed.controller, failed.message);
    const wishes = set.conditions.map(({ lastTransitionTime: _, ...wish }) =>
      wish.type === error.type ? error : wish,
    );
    return manage(failed.controller, wishes, observed, now);
  });
