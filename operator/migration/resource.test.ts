import { expect, test } from 'vitest';
import { groupVersionPath, migrationName, parseResource } from './resource.ts';

test('resources are named with their group, as upstream names migrations', () => {
  expect(parseResource('secrets')).toEqual({ group: '', resource: 'secrets' });
  expect(parseResource('routes.route.openshift.io')).toEqual({ group: 'route.openshift.io', resource: 'routes' });
  expect(migrationName('configmaps')).toBe('encryption-migration-core-configmaps');
  expect(migrationName('routes.route.openshift.io')).toBe('encryption-migration-route.openshift.io-routes');
});

test('the core group has a path of its own', () => {
  expect(groupVersionPath('', 'v1')).toBe('/api/v1');
  expect(groupVersionPath('route.openshift.io', 'v1')).toBe('/apis/route.openshift.io/v1');
});
