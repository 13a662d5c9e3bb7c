import { expect, it } from 'vitest';
import type { PluginHealth } from '../common/kmsHealth.ts';
import { conditionOf, fieldManagerOf } from './condition.ts';

const lastChecked = '2026-11-26T18:00:00.000Z';
const healthy: PluginHealth = { keyID: '1', kekID: 'k', status: 'healthy', lastChecked };
const unhealthy: PluginHealth = { keyID: '2', kekID: 'k', status: 'unhealthy', lastChecked, detail: 'no' };
const error: PluginHealth = { keyID: '3', status: 'error', lastChecked, detail: 'UNAVAILABLE: no' };

it('fixed: True/AsExpected, and what was found is in the message', () => {
  const condition = conditionOf('master-0', [unhealthy, error], 'fixed');
  expect(condition).toMatchObject({ type: 'KMSHealthReporter_master-0', status: 'True', reason: 'AsExpected' });
  expect(JSON.parse(condition.message)).toEqual([unhealthy, error]);
});

it.each([
  [[healthy], 'True', 'AsExpected'],
  [[healthy, unhealthy], 'False', 'Unhealthy'],
  [[healthy, error], 'Unknown', 'Unreachable'],
  [[error, unhealthy], 'False', 'Unhealthy'],
])('derived: the table of the review (%#)', (reports, status, reason) => {
  expect(conditionOf('n', reports, 'derived')).toMatchObject({ status, reason });
});

it('a field manager a node, hashed where a name would make it too long', () => {
  expect(fieldManagerOf('master-0')).toBe('kms-health-reporter-master-0');
  expect(fieldManagerOf('n'.repeat(108))).toBe(`kms-health-reporter-${'n'.repeat(108)}`);
  const long = fieldManagerOf('n'.repeat(109));
  expect(long).toMatch(/^kms-health-reporter-[0-9a-f]{64}$/);
  expect(fieldManagerOf(`${'n'.repeat(109)}m`)).not.toBe(long);
});
