import { describe, expect, it } from 'vitest';
import { annotations } from '../names.ts';
import type { MigrationObservation, Observation } from '../observation.ts';
import { situationOf } from '../situation.ts';
import {
  annotated,
  both,
  configSecretOf,
  keyOf,
  noon,
  observationOf,
  readOnlyConfigOf,
  secretOf,
} from '../testing/fixtures.ts';
import { markMigrated, migrationController } from './migration.ts';

const migrate = (changes: Partial<Observation> = {}) =>
  migrationController.decide(
    situationOf(observationOf({ config: configSecretOf([keyOf(1)]), keySecrets: [secretOf(1)], ...changes }), noon),
  );

const running = (resource: string, changes: Partial<MigrationObservation> = {}): MigrationObservation => ({
  resource,
  writeKey: '1',
  outcome: 'running',
  ...changes,
});

const succeeded = (resource: string): MigrationObservation =>
  running(resource, { outcome: 'succeeded', finishedAt: '2026-11-21T11:59:00Z' });
const failed = (resource: string, finishedAt: string): MigrationObservation =>
  running(resource, { outcome: 'failed', finishedAt, message: 'etcd is full' });

const start = (resource: string) => ({
  controller: 'EncryptionMigration',
  kind: 'ensureMigration',
  resource,
  writeKey: '1',
});
const prune = (resource: string) => ({ controller: 'EncryptionMigration', kind: 'pruneMigration', resource });
const idle = [
  { type: 'EncryptionMigrationControllerDegraded', status: 'False' },
  { type: 'EncryptionMigrationControllerProgressing', status: 'False' },
];

const progressing = (message: string) => [
  idle[0],
  { type: 'EncryptionMigrationControllerProgressing', status: 'True', reason: 'Migrating', message },
];

describe('nothing is migrated', () => {
  it.each<[string, Partial<Observation>]>([
    ['without configuration', { configSecret: undefined, configCopy: undefined }],
    ['while API servers differ', { apiServers: [] }],
    ['without write key', { configSecret: undefined, configCopy: undefined, keySecrets: [] }],
    ['where all is', { keySecrets: [secretOf(1, 'aescbc', both)] }],
  ])('%s', (_, changes) => {
    expect(migrate(changes)).toEqual({ actions: [], conditions: idle });
  });

  it('while another configuration is to come: what runs is ended', () => {
    const config = readOnlyConfigOf([keyOf(1)]);
    const observation = observationOf({ config, keySecrets: [secretOf(1)], migrations: [running('secrets')] });
    expect(migrationController.decide(situationOf(observation, noon))).toEqual({
      actions: [prune('secrets')],
      conditions: idle,
    });
  });
});

describe('a migration', () => {
  it('is started for every resource', () => {
    expect(migrate()).toEqual({
      actions: [start('configmaps'), start('secrets')],
      conditions: progressing('migrating resources to a new write key: [core/configmaps core/secrets]'),
      recheckAfterMs: 500,
    });
  });

  it('that is of another key is started anew', () => {
    const migrations = [running('secrets', { writeKey: '0' }), running('configmaps')];
    expect(migrate({ migrations }).actions).toEqual([start('secrets')]);
  });

  it('tells its progress once all totals are known', () => {
    const counted = [
      running('secrets', { done: 1000, total: 20_000 }),
      running('configmaps', { done: 200, total: 5000 }),
    ];
    const message = 'migrating resources to a new write key: [core/configmaps core/secrets]';
    expect(migrate({ migrations: counted }).conditions).toEqual(progressing(`${message} (1200 of 25000)`));
    expect(
      migrate({ migrations: [running('secrets', { done: 1, total: 2 }), running('configmaps')] }).conditions,
    ).toEqual(progressing(message));
  });

  it('that is done is noted on the key, while others run', () => {
    const outcome = migrate({ migrations: [succeeded('configmaps'), running('secrets')] });
    expect(outcome.conditions).toEqual(progressing('migrating resources to a new write key: [core/secrets]'));
    expect(outcome.actions).toMatchObject([
      {
        kind: 'updateKeySecret',
        secret: {
          metadata: {
            resourceVersion: '7',
            annotations: {
              [annotations.migratedTimestamp]: '2026-11-21T12:00:00Z',
              [annotations.migratedResources]: '{"resources":[{"Group":"","Resource":"configmaps"}]}',
            },
          },
        },
      },
    ]);
  });

  it('of all resources is noted in one write', () => {
    const { actions, conditions } = migrate({ migrations: both.map(succeeded) });
    expect(conditions).toEqual(idle);
    expect(actions).toHaveLength(1);
  });

  it('that failed is told and tried again five minutes later', () => {
    const fresh = migrate({ migrations: [failed('configmaps', '2026-11-21T11:55:01Z'), running('secrets')] });
    expect(fresh.actions).toEqual([]);
    expect(fresh.conditions).toMatchObject([
      { status: 'True', reason: 'Error', message: 'migration of configmaps for key "1" failed: etcd is full' },
      { status: 'True', message: 'migrating resources to a new write key: [core/secrets]' },
    ]);
    const alone = migrate({ migrations: [failed('configmaps', '2026-11-21T11:55:01Z'), succeeded('secrets')] });
    expect(alone.recheckAfterMs).toBe(1001);
    const later = migrate({ migrations: [failed('configmaps', '2026-11-21T11:54:59Z'), running('secrets')] });
    expect(later.actions).toEqual([prune('configmaps'), start('configmaps')]);
    expect(later.conditions?.[0]).toEqual(idle[0]);
  });

  it('that failed for all resources tells both', () => {
    const migrations = both.map((resource) => failed(resource, '2026-11-21T11:58:00Z'));
    expect(migrate({ migrations }).conditions?.[0]?.message).toMatch(
      /^\[migration of configmaps .*, migration of secrets .*\]$/,
    );
  });

  it('whose key secret is gone is told', () => {
    expect(() => migrate({ keySecrets: [], migrations: both.map(succeeded) })).toThrow(
      'failed to get key secret encryption-key-openshift-kube-apiserver-1: not found',
    );
  });
});

describe('marks on a key secret', () => {
  it.each<[string, ReturnType<typeof markMigrated>, string | undefined]>([
    [
      'are added',
      markMigrated(secretOf(1, 'aescbc', ['secrets']), ['configmaps'], noon),
      '{"resources":[{"Group":"","Resource":"secrets"},{"Group":"","Resource":"configmaps"}]}',
    ],
    [
      'are made anew from garbage',
      markMigrated(annotated(secretOf(1), { [annotations.migratedResources]: '{' }), ['secrets'], noon),
      '{"resources":[{"Group":"","Resource":"secrets"}]}',
    ],
    ['are not made twice', markMigrated(secretOf(1, 'aescbc', both), ['secrets'], noon), undefined],
  ])('%s', (_, secret, expected) => {
    expect(secret?.metadata.annotations?.[annotations.migratedResources]).toBe(expected);
  });
});
