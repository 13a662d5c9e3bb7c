import { expect, it } from 'vitest';
import { statusBody, targetNames, targets } from '../common/kmsHealthTarget.ts';
import { healthReports } from './healthReports.ts';

const lastChecked = '2026-11-26T18:00:00.123Z';
const lastCheckedTime = '2026-11-26T18:00:00Z';

it('one that fails has the key_id that it had last, or one that says that it is not known', () => {
  const reports = healthReports(
    'master-0',
    [
      { keyID: '1', kekID: 'kek-1', status: 'healthy', lastChecked },
      { keyID: '2', status: 'error', lastChecked, detail: 'gone' },
      { keyID: '3', status: 'unhealthy', lastChecked, detail: 'key_id is empty' },
    ],
    new Map([['2', 'kek-2']]),
  );
  expect(reports).toEqual([
    { nodeName: 'master-0', keyID: '1', remoteKeyID: 'kek-1', status: 'Healthy', lastCheckedTime },
    { nodeName: 'master-0', keyID: '2', remoteKeyID: 'kek-2', status: 'Error', lastCheckedTime, detail: 'gone' },
    {
      nodeName: 'master-0',
      keyID: '3',
      remoteKeyID: 'unknown',
      status: 'Unhealthy',
      lastCheckedTime,
      detail: 'key_id is empty',
    },
  ]);
});

it('each target has its place for them', () => {
  const [report] = healthReports('n', [{ keyID: '1', kekID: 'k', status: 'healthy', lastChecked }], new Map());
  if (report === undefined) throw new Error('no report');
  const bodies = targetNames.map((target) => statusBody(target, targets[target].typedStatus([report])));
  const status = { encryptionStatus: { healthReports: [report] } };
  expect(bodies).toMatchObject([
    { kind: 'KubeAPIServer', status },
    { kind: 'OpenShiftAPIServer', status },
    { kind: 'Authentication', status: { oauthAPIServer: status } },
  ]);
  expect(targets.kubeapiservers.typedStatus([])).toEqual({});
});
