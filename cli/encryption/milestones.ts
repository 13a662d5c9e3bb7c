import type { EncryptionObjects } from './objects.ts';
import { degradedStatus, type EncryptionStatus } from './state.ts';
import type { Milestone } from './wait.ts';

/** `secrets 1200 of 25000, configmaps 0 of 14000`; empty where the operator does not count. */
export const migrationCounts = (migration: NonNullable<EncryptionStatus['migration']>): string =>
  Object.entries(migration)
    .map(([resource, { done, total }]) => `${resource} ${done} of ${total}`)
    .join(', ');

export const migrationMilestones = ({ migration }: EncryptionStatus): readonly Milestone[] => {
  if (migration === null) return [];
  const counts = migrationCounts(migration);
  return [counts === '' ? { text: 'migrating' } : { text: `migrating ${counts}`, counting: true }];
};

/** What is out of order; undefined where nothing is. */
export const problemOf = (objects: EncryptionObjects): string | undefined => {
  const { status, message } = degradedStatus(objects);
  return status === 'True' ? message : undefined;
};

export const problemMilestones = (objects: EncryptionObjects): readonly Milestone[] => {
  const problem = problemOf(objects);
  return problem === undefined ? [] : [{ text: problem }];
};
