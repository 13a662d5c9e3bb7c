import { migrationMilestones, problemMilestones, problemOf } from './milestones.ts';
import type { EncryptionObjects, OperatorObject } from './objects.ts';
import { type EncryptionMode, type EncryptionStatus, encryptionStatus } from './state.ts';
import type { Look, Milestone } from './wait.ts';

/** An encryption that was asked for. */
export interface Goal {
  readonly mode: EncryptionMode;
  /** Number that the key must be above; 0 where any key of the mode will do. */
  readonly newerThan: number;
}

/** Number of the newest key; 0 where there is none. */
export const latestKeyNumber = ({ keys }: EncryptionStatus): number => Number(keys[0]?.id ?? 0);

/** Whether the operator has got there. Its condition alone may still be about what was before. */
export const isReached = ({ mode, newerThan }: Goal, { keys, encrypted }: EncryptionStatus): boolean => {
  const [latest] = keys;
  // Where encryption was never on, the controllers rest and give no reason.
  if (latest === undefined) {
    return mode === 'identity' && encrypted.status === 'False' && ['', 'EncryptionDisabled'].includes(encrypted.reason);
  }
  const isWritten = latest.mode === mode && latest.state === 'write' && latest.migrated;
  if (!isWritten || Number(latest.id) <= newerThan) return false;
  return mode === 'identity' ? encrypted.reason === 'DecryptionCompleted' : encrypted.status === 'True';
};

/** How many configurations a node's API server has taken, by node name. */
const revisions = (operator: OperatorObject | undefined): ReadonlyMap<string, number> =>
  new Map(operator?.status.nodeStatuses.map(({ nodeName, currentRevision }) => [nodeName, currentRevision]));

/** How far the newest configuration has got: a transition takes several, one after the other. */
const rolloutMilestones = (before: EncryptionObjects, now: EncryptionObjects): readonly Milestone[] => {
  const old = revisions(before.operator);
  const steps = [...revisions(now.operator)].map(([node, revision]) => revision - (old.get(node) ?? 0));
  const step = Math.max(0, ...steps);
  if (step === 0) return [];
  const done = steps.filter((taken) => taken === step).length;
  return [{ text: `configuration ${step} rolled out to ${done} of ${steps.length} nodes` }];
};

/** Nodes whose API server the operator does not reach, and so cannot ask what it has loaded; in its own words. */
const unanswered = (operator: OperatorObject | undefined): string | undefined => {
  const said = operator?.status.conditions.find(({ type }) => type === 'StaticPodsAvailable')?.message ?? '';
  const [, nodes] = /no answer from (.+)$/.exec(said) ?? [];
  return nodes === undefined ? undefined : `the operator gets no answer from the API server of ${nodes}`;
};

/** A look at how far the operator is on its way from `before` to a goal. */
export const lookAtTransition = (goal: Goal, before: EncryptionObjects, now: EncryptionObjects): Look => {
  const status = encryptionStatus(now);
  const [latest] = status.keys;
  const isNew = latest !== undefined && Number(latest.id) > latestKeyNumber(encryptionStatus(before));
  const { encrypted } = status;
  return {
    done: now.unreadable === undefined && isReached(goal, status),
    told: [
      ...(isNew ? [{ text: `key ${latest.id} (${latest.mode}) created` }] : []),
      ...rolloutMilestones(before, now),
      ...(isNew && latest.state === 'write' ? [{ text: `key ${latest.id} becomes the write key` }] : []),
      ...migrationMilestones(status),
      ...(isNew && latest.migrated ? [{ text: `everything migrated to key ${latest.id}` }] : []),
      ...problemMilestones(now),
    ],
    obstacle:
      problemOf(now) ??
      unanswered(now.operator) ??
      `Encrypted is ${encrypted.status} (${encrypted.reason}): ${encrypted.message}`,
  };
};
