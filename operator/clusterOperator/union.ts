import type { ConditionWish } from '../conditions.ts';
import type { OperatorCondition } from '../observation.ts';

/** How long a condition has to be bad before its union is, milliseconds. */
export type Inertia = (condition: OperatorCondition) => number;

type Told = Pick<OperatorCondition, 'type' | 'reason' | 'message'>;

/** `A_Reason::B_Reason` of conditions `A<suffix>` and `B<suffix>`; one without a reason is named alone. */
export const unionReason = (suffix: string, conditions: readonly Told[]): string =>
  conditions
    .map(({ type, reason }) => {
      const name = type.slice(0, type.length - suffix.length);
      return reason ? `${name}_${reason}` : name;
    })
    .toSorted()
    .join('::');

/** Each different line of each message behind the condition's type. */
export const unionMessage = (conditions: readonly Told[]): string =>
  conditions
    .flatMap(({ type, message }) =>
      message ? [...new Set(message.split('\n'))].map((line) => `${type}: ${line}`) : [],
    )
    .join('\n');

export interface Union {
  readonly condition: ConditionWish;
  /** When nothing but time will have changed it; milliseconds since 1970. */
  readonly changesAt?: number;
}

/**
 * All conditions whose type ends in `suffix`, as one of that type: of status `usual` where all are, else that of a contrary
 * one, else Unknown.
 * @param inertia where given, at least one has to have been bad for longer than that.
 * @param now milliseconds since 1970
 * @see https://github.com/openshift/library-go/blob/master/pkg/operator/status/condition.go
 */
export const unionCondition = (
  suffix: string,
  usual: 'True' | 'False',
  all: readonly OperatorCondition[],
  now: number,
  inertia?: Inertia,
): Union => {
  const concerned = all.filter(({ type }) => type.endsWith(suffix));
  if (concerned.length === 0) return { condition: { type: suffix, status: 'Unknown', reason: 'NoData' } };
  const bad = concerned
    .filter(({ status }) => status !== usual)
    .toSorted((one, other) => (one.type < other.type ? -1 : 1));
  const heldUntil = bad.map((condition) =>
    inertia === undefined ? Number.NEGATIVE_INFINITY : Date.parse(condition.lastTransitionTime) + inertia(condition),
  );
  if (heldUntil.every((until) => until >= now)) {
    const message = unionMessage(concerned) || 'All is well';
    return {
      condition: { type: suffix, status: usual, reason: 'AsExpected', message },
      ...(bad.length === 0 ? {} : { changesAt: Math.min(...heldUntil) + 1 }),
    };
  }
  const contrary = usual === 'True' ? 'False' : 'True';
  const status = bad.some((condition) => condition.status === contrary) ? contrary : 'Unknown';
  return {
    condition: { type: suffix, status, reason: unionReason(suffix, bad), message: unionMessage(bad) },
  };
};
