import { expect, it } from 'vitest';
import { clusterStatus, nodeWithConditions, unreachableCluster } from './cluster.ts';
import type { StackStatus } from './stackStatus.ts';
import { statusText } from './text.ts';

const now = Date.parse('2026-11-21T09:00:00Z');
const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
const box = { name: 'a', running: true };

const status: StackStatus = {
  stack: 'team',
  platform: 'local',
  cluster: { ready: true, version: 'v1.36.3', nodes: [{ name: 'a', ready: true, hollow: false }], hollowGroups: [] },
  encryption: {
    type: 'KMS',
    encrypted: { status: 'False', reason: 'EncryptionInProgress', message: 'Resource secrets is being encrypted' },
    writeKey: '2',
    keys: [
      { id: '2', mode: 'KMS', state: 'write', migrated: false },
      { id: '1', mode: 'aescbc', state: 'read', migrated: true },
    ],
    migration: { secrets: { done: 1200, total: 25000 } },
  },
  plugins: [
    {
      node: 'a',
      keyID: '2',
      kekID: 'kek-b',
      status: 'healthy',
      lastChecked: '2026-11-21T08:59:48.200Z',
      detail: '',
    },
    {
      node: 'a',
      keyID: '3',
      kekID: null,
      status: 'error',
      lastChecked: '2026-11-21T09:00:00Z',
      detail: 'NOT_FOUND:\n no',
    },
    { node: 'b', keyID: null, kekID: null, status: 'healthy', lastChecked: null, detail: 'pod kms-plugin-x is Ready' },
  ],
  degraded: { status: 'True', reason: 'A_Error::B_Error', message: 'ADegraded: one\nBDegraded: two' },
  faults: [{ name: 'slow', state: 'active', kind: 'hang', until: '2026-11-21T09:00:42Z' }],
};

it('tells all that there is to know, a line each', () => {
  expect(statusText(status, ['b'], now).split('\n')).toEqual([
    'stack team (local)  ready  v1.36.3',
    '  node a  Ready',
    '  encryption KMS  Encrypted=False (EncryptionInProgress): Resource secrets is being encrypted',
    '  key 2  KMS  write',
    '  key 1  aescbc  read  migrated',
    '  migrating secrets 1200 of 25000',
    '  plugin on a  key 2  kek-b  healthy  checked 12s ago',
    '  plugin on a  key 3  ERROR  checked 0s ago  NOT_FOUND: no',
    '  plugin on b  healthy  pod kms-plugin-x is Ready',
    '  DEGRADED ADegraded: one',
    '  DEGRADED BDegraded: two',
    '  fault slow  hang  every key, every node  42s left',
    "  box b does not run: 'understudy up team' starts it",
  ]);
});

it('a cluster is ready when its nodes and boxes are', () => {
  const node = { metadata: { name: 'a', labels: {} }, ...ready };
  expect(clusterStatus('v1', [node], [box])).toMatchObject({
    ready: true,
    nodes: [{ name: 'a', ready: true }],
  });
  expect(clusterStatus('v1', [node], [{ ...box, running: false }]).ready).toBe(false);
  expect(clusterStatus('v1', [{ ...node, status: { conditions: [] } }], [box]).ready).toBe(false);
  expect(unreachableCluster([box])).toEqual({
    ready: false,
    version: '',
    nodes: [{ name: 'a', ready: false, hollow: false }],
    hollowGroups: [],
  });
});

it('hollow nodes are told of apart, by their groups, and lost ones by name; the cluster is ready without them', () => {
  const node = (name: string, labels: Record<string, string>, of: object = ready) => ({
    metadata: { name, labels },
    ...nodeWithConditions.omit({ metadata: true }).parse(of),
  });
  const labels = { 'understudy.dev/hollow-group': 'small', 'understudy.dev/hollow-engine': 'kubemark' };
  const big = { 'understudy.dev/hollow-group': 'big', 'understudy.dev/hollow-engine': 'kwok' };
  const cluster = clusterStatus(
    'v1',
    [node('a', {}), node('hollow-small-0', labels), node('hollow-small-1', labels, {}), node('hollow-big-0', big)],
    [box],
  );
  expect(cluster.ready).toBe(true);
  const text = statusText({ ...status, cluster }, [], now);
  expect(text).toContain(
    '\n  node a  Ready\n  hollow nodes small (kubemark)  2, 1 Ready, NOT Ready: hollow-small-1\n  hollow nodes big (kwok)  1, all Ready\n',
  );
});

it('says so where it cannot be told whether something is out of order', () => {
  const degraded = {
    status: 'Unknown',
    reason: 'KMSPlugins_ReporterStale',
    message: 'KMSPluginsDegraded: node a',
  } as const;
  expect(statusText({ ...status, degraded }, [], now)).toContain('\n  UNKNOWN KMSPluginsDegraded: node a\n');
  expect(statusText({ ...status, degraded: { ...degraded, status: 'False' } }, [], now)).not.toContain(
    'KMSPluginsDegraded',
  );
});
