import type { Action, ControllerName } from '../action.ts';
import type { MigrationObservation } from '../observation.ts';

/** How long after a failed migration it is tried again. */
const migrationRetryMs = 5 * 60 * 1000;

export type MigrationStep =
  | { readonly state: 'succeeded' }
  | {
      readonly state: 'running';
      readonly actions: readonly Action[];
      readonly done: number;
      readonly total: number | undefined;
    }
  | { readonly state: 'failed'; readonly problem: string; readonly retryAfterMs: number };

/** Where a resource's migration to a write key stands, and what starts it. */
export const migrationStep = (
  controller: ControllerName,
  resource: string,
  writeKey: string,
  migrations: readonly MigrationObservation[],
  now: number,
): MigrationStep => {
  const migration = migrations.find((one) => one.resource === resource && one.writeKey === writeKey);
  const start: Action = { controller, kind: 'ensureMigration', resource, writeKey };
  if (migration === undefined) return { state: 'running', actions: [start], done: 0, total: undefined };
  const { outcome, done = 0, total } = migration;
  if (outcome === 'running') return { state: 'running', actions: [], done, total };
  if (outcome === 'succeeded') return { state: 'succeeded' };
  const retryAfterMs = migrationRetryMs - (now - Date.parse(migration.finishedAt ?? ''));
  if (retryAfterMs >= 0) {
    const problem = `migration of ${resource} for key "${writeKey}" failed: ${migration.message ?? ''}`;
    return { state: 'failed', problem, retryAfterMs };
  }
  return {
    state: 'running',
    actions: [{ controller, kind: 'pruneMigration', resource }, start],
    done: 0,
    total: undefined,
  };
};

/** `core/secrets` */
export const readableResource = (resource: string): string => {
  const dot = resource.indexOf('.');
  return dot < 0 ? `core/${resource}` : `${resource.slice(dot + 1)}/${resource.slice(0, dot)}`;
};

/** ` (1200 of 25000)`; nothing before all totals are known. */
export const progressText = (steps: readonly MigrationStep[]): string => {
  const running = steps.filter((step) => step.state === 'running');
  const totals = running.map(({ total }) => total).filter((total) => total !== undefined);
  if (totals.length === 0 || totals.length < running.length) return '';
  const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0);
  return ` (${sum(running.map(({ done }) => done))} of ${sum(totals)})`;
};
