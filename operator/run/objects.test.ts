import { expect, it } from 'vitest';
import { type Pod, pluginOn, referencesOf } from './objects.ts';

const pod = (status: Pod['status'], nodeName = 'a'): Pod => ({ metadata: { name: 'p' }, spec: { nodeName }, status });
const ready = [{ type: 'Ready', status: 'True' }];

it.each([
  ['ready where one of its pods is', [pod({ phase: 'Pending' }), pod({ conditions: ready })], { ready: true }],
  ['not ready without a pod', [pod({ conditions: ready }, 'b')], { ready: false, cause: 'no pod' }],
  [
    'not ready with the reason that the kubelet gives',
    [pod({ phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff' } } }] })],
    { ready: false, cause: 'ImagePullBackOff' },
  ],
  ['not ready while it runs only', [pod({ phase: 'Running' })], { ready: false, cause: 'its pod is not ready' }],
  ['not ready while nothing is known of it', [pod({})], { ready: false, cause: 'Unknown' }],
])('takes the plugin of a node for %s', (_name, pods, expected) => {
  expect(pluginOn('a', pods)).toEqual({ node: 'a', ...expected });
});

it('leaves out a pod that is going', () => {
  const going = { ...pod({ conditions: ready }), metadata: { name: 'p', deletionTimestamp: '2026-11-21T09:00:00Z' } };
  expect(pluginOn('a', [going])).toMatchObject({ ready: false });
});

it('finds the objects that a KMS configuration refers to', () => {
  const vault = {
    authentication: { type: 'AppRole', appRole: { secret: { name: 'role' } } },
    tls: { caBundle: { name: 'ca' } },
  };
  expect(referencesOf({ type: 'KMS', kms: { type: 'Vault', vault } })).toEqual({
    secrets: ['role'],
    configMaps: ['ca'],
  });
  expect(referencesOf({ type: 'aescbc' })).toEqual({ secrets: [], configMaps: [] });
  expect(referencesOf(undefined)).toEqual({ secrets: [], configMaps: [] });
});
