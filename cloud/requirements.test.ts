import { expect, test } from 'vitest';
import type { CloudObservation } from './observation.ts';
import { type CloudWish, problemsOf } from './requirements.ts';

const seen: CloudObservation = {
  kubernetes: 'v1.34.1',
  openShift: { version: '4.21.3', clusterID: 'one' },
  platform: 'AWS',
  features: { set: 'TechPreviewNoUpgrade', enabled: ['Other', 'KMSEncryption'] },
  controlPlanes: 3,
  encryption: { type: '', kmsPluginImage: undefined },
  namespaceOf: undefined,
  pullSecret: ['quay.io', 'registry.example'],
  denied: [],
};
const wish: CloudWish = {
  stack: 'aws',
  platform: 'aws',
  deployment: 'sidecar',
  registry: 'quay.io/me',
  credentials: [],
  clusterID: undefined,
};

const texts = (change: Partial<CloudObservation>, asked: Partial<CloudWish> = {}): readonly string[] =>
  problemsOf({ ...seen, ...change }, { ...wish, ...asked }).map(({ got }) => got);

test('a cluster that has all is fit, and one that the stack is up on already', () => {
  expect(texts({})).toEqual([]);
  const ours = { type: 'KMS', kmsPluginImage: 'quay.io/me/kms-plugin@sha256:0' };
  expect(texts({ namespaceOf: 'aws', encryption: ours }, { clusterID: 'one' })).toEqual([]);
});

test('a DaemonSet needs neither the gate nor the pull secret', () => {
  const bare = { features: { set: '', enabled: [] }, pullSecret: [] };
  expect(texts(bare, { deployment: 'daemonset', credentials: ['quay.io'] })).toEqual([]);
});

test.each<[string, Partial<CloudObservation>, Partial<CloudWish>, RegExp]>([
  ['no OpenShift', { openShift: undefined }, {}, /^it is no OpenShift/],
  ['another cluster', {}, { clusterID: 'two' }, /stack aws is up on another cluster: two, and this one is one/],
  ['another platform', {}, { platform: 'azure' }, /platform is azure, and the cluster is on AWS/],
  ['an unknown platform', { platform: undefined }, {}, /platform is aws, and the cluster is on none that it tells/],
  ['an old version', { kubernetes: 'v1.28.9' }, {}, /Kubernetes v1\.28\.9/],
  ['no gate', { features: { set: '', enabled: [] } }, {}, /KMSEncryption is off \(feature set Default\)/],
  ['no control plane', { controlPlanes: 0 }, {}, /no control-plane node/],
  [
    'another KMS',
    { encryption: { type: 'KMS', kmsPluginImage: 'x/y@sha256:0' } },
    {},
    /another KMS plugin already: x\/y/,
  ],
  ['no APIServer', { encryption: undefined }, {}, /no apiservers/],
  ['a foreign namespace', { namespaceOf: '' }, { deployment: 'daemonset' }, /openshift-kms-plugin of somebody else/],
  ['another stack', { namespaceOf: 'gcp' }, { deployment: 'daemonset' }, /openshift-kms-plugin of stack gcp/],
  [
    'a private registry',
    {},
    { registry: 'private.example/a', credentials: ['private.example'] },
    /no credentials for private\.example/,
  ],
])('%s is refused', (_what, change, asked, message) => {
  expect(texts(change, asked)).toEqual([expect.stringMatching(message)]);
});

test('all that is missing is told at once, but for what another cluster would have', () => {
  const denied = [
    { verb: 'create', group: '', resource: 'namespaces' },
    { verb: 'patch', group: 'config.openshift.io', resource: 'apiservers', name: 'cluster' },
    { verb: 'create', group: 'apps', resource: 'daemonsets', namespace: 'openshift-kms-plugin' },
  ];
  const change = { denied, kubernetes: '1.27.0', controlPlanes: 0 };
  expect(texts(change)).toHaveLength(3);
  expect(texts(change)[2]).toBe(
    'its user may not create namespaces, patch apiservers.config.openshift.io/cluster, create daemonsets.apps in openshift-kms-plugin',
  );
  expect(texts({ ...change, openShift: undefined })).toHaveLength(1);
});
