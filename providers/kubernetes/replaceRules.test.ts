import { expect, test } from 'vitest';
import { diffMaps } from '../protocol/diff.ts';
import { formatPath } from '../protocol/path.ts';
import type { PropertyMap } from '../protocol/values.ts';
import { replaces } from './replaceRules.ts';

const immutableData = { enableSecretMutable: false, enableConfigMapMutable: false };
const mutableData = { enableSecretMutable: true, enableConfigMapMutable: true };

const object = (apiVersion: string, kind: string, fields: PropertyMap): PropertyMap => ({
  apiVersion,
  kind,
  metadata: { name: 'a' },
  ...fields,
});

const replacing = (before: PropertyMap, after: PropertyMap, mutability = immutableData, isPatch = false): string[] =>
  diffMaps(before, after)
    .filter((change) => replaces(change, after, isPatch, mutability))
    .map(({ path }) => formatPath(path));

const pod = (container: PropertyMap, spec: PropertyMap = {}): PropertyMap =>
  object('v1', 'Pod', { spec: { containers: [{ name: 'c', ...container }], ...spec } });

test.each<[string, PropertyMap, PropertyMap, string[]]>([
  [
    'the selector of a Deployment',
    object('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { a: '1' } }, replicas: 1 } }),
    object('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { a: '2' } }, replicas: 2 } }),
    ['spec.selector.matchLabels.a'],
  ],
  [
    'the service name of a StatefulSet, not its template',
    object('apps/v1', 'StatefulSet', { spec: { serviceName: 'x', template: { a: 1 } } }),
    object('apps/v1', 'StatefulSet', { spec: { serviceName: 'y', template: { a: 2 } } }),
    ['spec.serviceName'],
  ],
  [
    'the template of a Job',
    object('batch/v1', 'Job', { spec: { template: { spec: { containers: [{ image: 'a' }] } } } }),
    object('batch/v1', 'Job', { spec: { template: { spec: { containers: [{ image: 'b' }] } } } }),
    ['spec.template.spec.containers[0].image'],
  ],
  [
    'a role reference',
    object('rbac.authorization.k8s.io/v1', 'RoleBinding', { roleRef: { kind: 'Role', name: 'x' } }),
    object('rbac.authorization.k8s.io/v1', 'RoleBinding', { roleRef: { kind: 'Role', name: 'y' } }),
    ['roleRef.name'],
  ],
  [
    'a cluster IP that comes with the whole spec',
    object('v1', 'Service', {}),
    object('v1', 'Service', { spec: { clusterIP: '10.0.0.1' } }),
    ['spec'],
  ],
  [
    'the environment of a container',
    pod({ env: [{ name: 'A', value: '1' }] }),
    pod({ env: [] }),
    ['spec.containers[0].env[0]'],
  ],
  ['a whole new container', pod({}), pod({}, { initContainers: [{ image: 'x' }] }), ['spec.initContainers']],
  [
    'data of a ConfigMap',
    object('v1', 'ConfigMap', { data: { a: '1' } }),
    object('v1', 'ConfigMap', { data: { a: '2' } }),
    ['data.a'],
  ],
  [
    'string data of a Secret, and its type',
    object('v1', 'Secret', { stringData: { a: '1' }, type: 'x' }),
    object('v1', 'Secret', { stringData: { a: '2' }, type: 'y' }),
    ['stringData.a', 'type'],
  ],
])('%s replaces', (_name, before, after, expected) => {
  expect(replacing(before, after)).toEqual(expected);
});

test('labels are never a reason to replace', () => {
  const before = object('apps/v1', 'DaemonSet', {});
  expect(replacing(before, { ...before, metadata: { name: 'a', labels: { x: 'y' } } })).toEqual([]);
});

test.each([['Secret'], ['ConfigMap']])(
  'data of a %s is updated where the provider is told so, unless it is immutable',
  (kind) => {
    const [before, after] = [object('v1', kind, { data: { a: '1' } }), object('v1', kind, { data: { a: '2' } })];
    expect(replacing(before, after, mutableData)).toEqual([]);
    const fixed = { immutable: true };
    expect(replacing({ ...before, ...fixed }, { ...after, ...fixed }, mutableData)).toEqual(['data.a']);
  },
);

test('a patch is replaced for its identity alone', () => {
  const [before, after] = [
    object('v1', 'ConfigMap', { data: { a: '1' } }),
    object('v1', 'ConfigMap', { data: { a: '2' } }),
  ];
  expect(replacing(before, after, immutableData, true)).toEqual([]);
  expect(replacing(before, { ...before, metadata: { name: 'b' } }, immutableData, true)).toEqual(['metadata.name']);
});
