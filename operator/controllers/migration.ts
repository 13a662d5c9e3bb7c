import { timestampText } from '../../common/timestamp.ts';
import type { Action } from '../action.ts';
import { type ConditionWish, degraded, degradedType, isFalse, isTrue, progressingType } from '../conditions.ts';
import { configOf } from '../encryptionConfig.ts';
import { encodeEncryptionConfiguration } from '../encryptionConfiguration.ts';
import { decodeMigratedResources, encodeMigratedResources, keySecretName } from '../keySecret.ts';
import type { KeyState } from '../keyState.ts';
import { annotations } from '../names.ts';
import type { MigrationObservation, Secret } from '../observation.ts';
import type { Settled } from '../situation.ts';
import { type Controller, type Outcome, soonMs } from './controller.ts';
import { type MigrationStep, migrationStep, progressText, readableResource } from './migrations.ts';

const name = 'EncryptionMigration';

/** Whether what is deployed is what shall be; until then two API servers may write with different keys. */
export const isStable = ({ config, desired }: Settled): boolean =>
  config !== undefined &&
  encodeEncryptionConfiguration(config.resources) === encodeEncryptionConfiguration(configOf(desired).resources);

const listed = (secret: Secret): readonly string[] => {
  const annotation = secret.metadata.annotations?.[annotations.migratedResources];
  try {
    return annotation === undefined ? [] : decodeMigratedResources(annotation);
  } catch {
    // At worst some more is migrated.
    return [];
  }
};

/** The key secret with resources marked as migrated; undefined where it says so already. */
export const markMigrated = (secret: Secret, resources: readonly string[], now: number): Secret | undefined => {
  const known = listed(secret);
  const fresh = resources.filter((resource) => !known.includes(resource));
  if (fresh.length === 0 && secret.metadata.annotations?.[annotations.migratedTimestamp] !== undefined)
    return undefined;
  const marks = {
    [annotations.migratedTimestamp]: timestampText(now),
    [annotations.migratedResources]: encodeMigratedResources([...known, ...fresh]),
  };
  return { ...secret, metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, ...marks } } };
};

interface ResourceStep {
  readonly resource: string;
  readonly writeKey: KeyState;
  readonly step: MigrationStep;
}

const stepsOf = (
  { current }: Settled,
  migrations: readonly MigrationObservation[],
  now: number,
): readonly ResourceStep[] =>
  [...current]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([resource, { writeKey }]) => {
      if (writeKey === undefined || writeKey.migrated.resources.includes(resource)) return [];
      return [{ resource, writeKey, step: migrationStep(name, resource, writeKey.name, migrations, now) }];
    });

const marks = (steps: readonly ResourceStep[], secrets: readonly Secret[], now: number): readonly Action[] => {
  const finished = Map.groupBy(
    steps.filter(({ step }) => step.state === 'succeeded'),
    ({ writeKey }) => keySecretName(writeKey.name),
  );
  return [...finished].flatMap(([secretName, migrated]) => {
    const secret = secrets.find(({ metadata }) => metadata.name === secretName);
    if (secret === undefined) throw new Error(`failed to get key secret ${secretName}: not found`);
    const marked = markMigrated(
      secret,
      migrated.map(({ resource }) => resource),
      now,
    );
    return marked === undefined ? [] : [{ controller: name, kind: 'updateKeySecret', secret: marked } as const];
  });
};

const progressing = (running: readonly ResourceStep[]): ConditionWish => {
  if (running.length === 0) return isFalse(progressingType(name));
  const resources = running.map(({ resource }) => readableResource(resource)).join(' ');
  const progress = progressText(running.map(({ step }) => step));
  const message = `migrating resources to a new write key: [${resources}]${progress}`;
  return isTrue(progressingType(name), 'Migrating', message);
};

/** Go's way to join errors. */
export const joinProblems = (problems: readonly string[]): string => {
  const [only, ...others] = new Set(problems);
  return others.length === 0 ? (only ?? '') : `[${[...new Set(problems)].join(', ')}]`;
};

const migrate = (
  settled: Settled,
  migrations: readonly MigrationObservation[],
  secrets: readonly Secret[],
  now: number,
): Outcome => {
  const steps = stepsOf(settled, migrations, now);
  const running = steps.filter(({ step }) => step.state === 'running');
  const failures = steps.map(({ step }) => step).filter((step) => step.state === 'failed');
  const starts = steps.flatMap(({ step }) => (step.state === 'running' ? step.actions : []));
  const problem = joinProblems(failures.map((failure) => failure.problem));
  const waits = [...(running.length > 0 ? [soonMs] : []), ...failures.map(({ retryAfterMs }) => retryAfterMs + 1)];
  return {
    actions: [...starts, ...marks(steps, secrets, now)],
    conditions: [problem === '' ? isFalse(degradedType(name)) : degraded(name, problem), progressing(running)],
    ...(waits.length === 0 ? {} : { recheckAfterMs: Math.min(...waits) }),
  };
};

/**
 * Has everything written again with the write key, once the configuration is deployed that is to stay, and notes that on the key.
 * @see https://github.com/openshift/library-go/blob/master/pkg/operator/encryption/controllers/migration_controller.go
 */
export const migrationController: Controller = {
  name,
  resting: [isFalse(degradedType(name)), isFalse(progressingType(name))],
  failed: (message) => [degraded(name, message), isFalse(progressingType(name))],
  decide: ({ observation, now, settled }) => {
    const { migrations, keySecrets } = observation;
    const idle = [isFalse(degradedType(name)), isFalse(progressingType(name))];
    if (settled?.config === undefined) return { actions: [], conditions: idle };
    if (!isStable(settled)) {
      const running = migrations.filter(({ resource }) => settled.current.has(resource));
      const stops = running.map(({ resource }) => ({ controller: name, kind: 'pruneMigration', resource }) as const);
      return { actions: stops, conditions: idle };
    }
    return migrate(settled, migrations, keySecrets, now);
  },
};
