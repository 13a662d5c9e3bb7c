import type { PluginStatus } from '../status/plugins.ts';
import type { StackStatus } from '../status/stackStatus.ts';

export const testPlugin = (more: Partial<PluginStatus> = {}): PluginStatus => ({
  node: 'a',
  keyID: '1',
  kekID: 'kek-1',
  status: 'healthy',
  lastChecked: '2026-11-21T09:00:00Z',
  detail: '',
  ...more,
});

/** Of a stack that is well. */
export const testStatus = (more: Partial<StackStatus> = {}): StackStatus => ({
  stack: 'team',
  platform: 'local',
  cluster: { ready: true, version: 'v1.36.3', nodes: [{ name: 'a', ready: true, hollow: false }], hollowGroups: [] },
  encryption: {
    type: 'KMS',
    encrypted: {
      status: 'True',
      reason: 'EncryptionCompleted',
      message: 'All resources encrypted: secrets, configmaps',
    },
    writeKey: '1',
    keys: [{ id: '1', mode: 'KMS', state: 'write', migrated: true }],
    migration: null,
  },
  plugins: [testPlugin()],
  degraded: { status: 'False', reason: 'AsExpected', message: '' },
  faults: [],
  ...more,
});

/** Of a stack whose API server does not answer. */
export const testUnreachable = (message: string): StackStatus => {
  const unknown = { status: 'Unknown', reason: 'ApiServerUnreachable', message } as const;
  return testStatus({
    cluster: { ready: false, version: '', nodes: [{ name: 'a', ready: false, hollow: false }], hollowGroups: [] },
    encryption: { type: null, encrypted: unknown, writeKey: null, keys: [], migration: null },
    plugins: [],
    degraded: unknown,
  });
};
