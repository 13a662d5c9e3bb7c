import { expect, it } from 'vitest';
import { parseReports, renderReports, reporterConditionType, reportingNode } from './kmsHealth.ts';

const lastChecked = '2026-11-26T18:00:00.000Z';
const healthy = { keyID: '2', kekID: 'kek-9f2c', status: 'healthy', lastChecked } as const;
const failing = { keyID: '1', status: 'error', lastChecked, detail: 'connection refused' } as const;

it('is a minified array in upstream’s order of fields, and reads back', () => {
  const message = renderReports([{ lastChecked, status: 'healthy', kekID: 'kek-9f2c', keyID: '2' }, failing]);
  expect(message).toBe(
    '[{"keyID":"2","kekID":"kek-9f2c","status":"healthy","lastChecked":"2026-11-26T18:00:00.000Z"},' +
      '{"keyID":"1","status":"error","lastChecked":"2026-11-26T18:00:00.000Z","detail":"connection refused"}]',
  );
  expect(parseReports(message)).toEqual([healthy, failing]);
  expect(parseReports('[]')).toEqual([]);
});

it.each([
  undefined,
  '',
  'keyID=2 status=healthy',
  '{}',
  'null',
  '[null]',
  '[{"keyID":2,"status":"healthy","lastChecked":"2026-11-26T18:00:00Z"}]',
  '[{"keyID":"2","status":"fine","lastChecked":"2026-11-26T18:00:00Z"}]',
  '[{"keyID":"2","status":"healthy","lastChecked":"yesterday"}]',
  '[{"keyID":"2","status":"healthy"}]',
  '[{"keyID":"2","status":"error","lastChecked":"2026-11-26T18:00:00Z","detail":{}}]',
])('%s is no report', (message) => {
  expect(parseReports(message)).toBeUndefined();
});

it('has a condition a node', () => {
  expect(reporterConditionType('master-0')).toBe('KMSHealthReporter_master-0');
  expect(reportingNode('KMSHealthReporter_master-0')).toBe('master-0');
  expect(reportingNode('KMSPluginsDegraded')).toBeUndefined();
});
