import type { EncryptionObjects } from './objects.ts';
import { degradedStatus, type EncryptionStatus } from './state.ts';
import type { Milestone } from './wait.ts';

/** `secrets 1200 of 25000, configmaps`; a resource that is not counted yet goes by its name alone. */
export const migrationCounts = (migration: NonNullable<EncryptionStatus['migration']>): string =>
  Object.entries(migration)
    .map(([resource, { done, total }]) => (total === 0 ? resource : `${resource} ${done} of ${total}`))
    .join(', ');

export const migrationMilestones = ({ migration }: EncryptionStatus): readonly Milestone[] => {
  if (migration === null) return [];
  const counting = Object.values(migration).some(({ total }) => total > 0);
  return [{ text: `migrating ${migrationCounts(migration)}`.trimEnd(), counting }];
};

/** What is out of order; undefined where nothing is. */
export const problemOf = (objects: EncryptionObjects): string | undefined => {
  const { status, message } = degradedStatus(objects);
  return status === 'True' ? message : undefined;
};

export const problemMilestones = (objects: EncryptionObjects): readonly Milestone[] => {
  const problem = problemOf(objects);
  return problem === undefined ? [] : problem.split('\n').map((text) => ({ text }));
};
