import { expect, it } from 'vitest';
import { renderReports } from '../../common/kmsHealth.ts';
import { operatorObject } from '../encryption/objects.ts';
import { testKey, testObjects } from '../encryption/testObjects.ts';
import { podObject } from './cluster.ts';
import { pluginStatuses } from './plugins.ts';

const now = Date.parse('2026-11-26T18:02:00Z');
const checked = (seconds: number): string => new Date(now - seconds * 1000).toISOString();
const pod = podObject.parse({
  metadata: { name: 'p' },
  spec: { nodeName: 'a' },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});
const waiting = podObject.parse({
  metadata: { name: 'q' },
  spec: { nodeName: 'b' },
  status: {
    phase: 'Pending',
    containerStatuses: [{ state: {} }, { state: { waiting: { reason: 'ErrImagePull', message: 'no' } } }],
  },
});
const keys = { 1: { version: 2, keyID: 'kek-1' }, 2: { version: 1, keyID: 'kek-2' } };
const { backend } = testObjects({ keys: [testKey(1, 'KMS')], backend: { status: { nodes: { a: { keys } } } } });
const told = (node: string, ...plugins: Parameters<typeof renderReports>[0]) => ({
  type: `KMSHealthReporter_${node}`,
  status: 'True',
  message: renderReports(plugins),
});
const statuses = (conditions: readonly object[], healthReports: readonly object[] = []) =>
  pluginStatuses({
    pods: [pod, waiting],
    backend,
    operator: operatorObject.parse({ status: { conditions, encryptionStatus: { healthReports } } }),
    healthIntervalMs: 30_000,
    now,
  });

it('says what reporters say, and what is known of the others', () => {
  const one = { keyID: '1', kekID: 'kek-1', status: 'healthy', lastChecked: checked(29) } as const;
  expect(statuses([told('a', one)])).toEqual([
    { node: 'a', ...one, detail: '' },
    {
      node: 'a',
      keyID: '2',
      kekID: 'kek-2',
      status: 'unknown',
      lastChecked: null,
      detail: 'not observed yet; pod p is Ready',
    },
    {
      node: 'b',
      keyID: null,
      kekID: null,
      status: 'unhealthy',
      lastChecked: null,
      detail: 'pod q is not Ready: ErrImagePull: no',
    },
  ]);
});

it('what nobody has told anew for four intervals is unknown', () => {
  const one = { keyID: '1', status: 'error', lastChecked: checked(120), detail: 'UNAVAILABLE: no' } as const;
  expect(statuses([told('a', one)])[0]).toEqual({
    node: 'a',
    ...one,
    kekID: null,
    status: 'unknown',
    detail: 'nothing new since 2026-11-26T18:00:00.000Z, when it was error: UNAVAILABLE: no',
  });
  expect(statuses([told('a', { ...one, lastChecked: checked(119) })])[0]).toMatchObject({ status: 'error' });
});

it('reads typed reports as well', () => {
  const typed = { nodeName: 'c', keyID: '7', remoteKeyID: 'kek-7', status: 'Unhealthy', detail: 'sealed' };
  expect(statuses([], [{ ...typed, lastCheckedTime: checked(1) }]).at(-1)).toEqual({
    node: 'c',
    keyID: '7',
    kekID: 'kek-7',
    status: 'unhealthy',
    lastChecked: checked(1),
    detail: 'sealed',
  });
});
