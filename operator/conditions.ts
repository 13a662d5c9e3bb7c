import { timestampText } from '../common/timestamp.ts';
import type { ConditionWriter, ControllerName, ManagedConditions } from './action.ts';
import { component } from './names.ts';
import type { OperatorCondition } from './observation.ts';

/** A condition before it is known when its status last changed. */
export type ConditionWish = Omit<OperatorCondition, 'lastTransitionTime'>;

/** Field managers are limited to 128 characters, which all of these keep. */
export const fieldManagerOf = (controller: ConditionWriter): string => `${component}-${controller}`;

export const isFalse = (type: string, message?: string): ConditionWish => ({
  type,
  status: 'False',
  ...(message === undefined ? {} : { message }),
});

export const isTrue = (type: string, reason: string, message: string): ConditionWish => ({
  type,
  status: 'True',
  reason,
  message,
});

export const degradedType = (controller: ControllerName): string => `${controller}ControllerDegraded`;
export const progressingType = (controller: ControllerName): string => `${controller}ControllerProgressing`;

export const degraded = (controller: ControllerName, message: string, reason = 'Error'): ConditionWish =>
  isTrue(degradedType(controller), reason, message);

const isSame = (one: OperatorCondition, other: OperatorCondition | undefined): boolean =>
  one.status === other?.status &&
  (one.reason ?? '') === (other.reason ?? '') &&
  (one.message ?? '') === (other.message ?? '') &&
  one.lastTransitionTime === other.lastTransitionTime;

/** Completes what is to be said by what is said already: the time of a status stays until the status changes. */
export const complete = (
  wishes: readonly ConditionWish[],
  observed: readonly OperatorCondition[],
  now: number,
): Pick<ManagedConditions, 'conditions' | 'changed'> => {
  const known = new Map(observed.map((condition) => [condition.type, condition]));
  const conditions = wishes.map((wish): OperatorCondition => {
    const before = known.get(wish.type);
    return {
      ...wish,
      lastTransitionTime: before?.status === wish.status ? before.lastTransitionTime : timestampText(now),
    };
  });
  const changed = conditions.some((condition) => !isSame(condition, known.get(condition.type)));
  return { conditions, changed };
};

/** The same for all that a controller says. */
export const manage = (
  controller: ConditionWriter,
  wishes: readonly ConditionWish[],
  observed: readonly OperatorCondition[],
  now: number,
): ManagedConditions => ({
  controller,
  fieldManager: fieldManagerOf(controller),
  ...complete(wishes, observed, now),
});
