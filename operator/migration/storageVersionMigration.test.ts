import { expect, test } from 'vitest';
import { writeKeyAnnotation } from './checkpoint.ts';
import { observationOf, renderMigration, type StorageVersionMigration } from './storageVersionMigration.ts';

const openShift = { group: 'migration.k8s.io', version: 'v1alpha1' };

test('each API is told of the resource in its own shape', () => {
  expect(renderMigration(openShift, 'secrets', 'v1', '4')).toEqual({
    apiVersion: 'migration.k8s.io/v1alpha1',
    kind: 'StorageVersionMigration',
    metadata: { name: 'encryption-migration-core-secrets', annotations: { [writeKeyAnnotation]: '4' } },
    spec: { resource: { group: '', version: 'v1', resource: 'secrets' } },
  });
  const kubernetes = (version: string) =>
    renderMigration({ group: 'storagemigration.k8s.io', version }, 'secrets', 'v1', '4');
  expect(kubernetes('v1alpha1')).toMatchObject({ spec: { resource: { group: '', version: 'v1' } } });
  expect(kubernetes('v1beta1')).toHaveProperty('spec', { resource: { group: '', resource: 'secrets' } });
});

const migration = (
  conditions: NonNullable<StorageVersionMigration['status']>['conditions'],
): StorageVersionMigration => ({
  metadata: { name: 'm', annotations: { [writeKeyAnnotation]: '4' } },
  status: { conditions },
});
const at = '2026-11-21T09:00:00Z';

test('conditions tell how far it is', () => {
  const of = (conditions: Parameters<typeof migration>[0]) => observationOf('secrets', migration(conditions));
  expect(of(undefined)).toEqual({ resource: 'secrets', writeKey: '4', outcome: 'running' });
  expect(of([{ type: 'Running', status: 'True' }])).toMatchObject({ outcome: 'running' });
  expect(of([{ type: 'Succeeded', status: 'False' }])).toMatchObject({ outcome: 'running' });
  expect(of([{ type: 'Succeeded', status: 'True', lastUpdateTime: at }])).toMatchObject({
    outcome: 'succeeded',
    finishedAt: at,
  });
  expect(of([{ type: 'Failed', status: 'True', lastTransitionTime: at, message: 'full' }])).toMatchObject({
    outcome: 'failed',
    finishedAt: at,
    message: 'full',
  });
});

test('a migration that somebody else made has no write key', () => {
  expect(observationOf('secrets', { metadata: { name: 'm' } })).toMatchObject({ writeKey: '', outcome: 'running' });
});
