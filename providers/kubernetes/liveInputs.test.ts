import { expect, test } from 'vitest';
import { type PropertyMap, Secret } from '../protocol/values.ts';
import { importedInputs, refreshedInputs } from './liveInputs.ts';

const deployment = (resources: PropertyMap, replicas = 1): PropertyMap => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  spec: { replicas, template: { spec: { containers: [{ name: 'c', resources }] } } },
});

test('values that the server writes another way stay as the program writes them', () => {
  const inputs = deployment({ limits: { cpu: '1000m' } });
  const live = { ...deployment({ limits: { cpu: '1' } }), status: { replicas: 1 } };
  expect(refreshedInputs(inputs, live, live)).toEqual(inputs);
});

test('what was changed on the server is taken over, and only that', () => {
  const inputs = deployment({ limits: { cpu: '1000m' } });
  const [before, now] = [deployment({ limits: { cpu: '1' } }), deployment({ limits: { cpu: '1' } }, 5)];
  expect(refreshedInputs(inputs, before, now)).toEqual(deployment({ limits: { cpu: '1000m' } }, 5));
});

test('what was removed on the server is removed', () => {
  const data = { kind: 'ConfigMap', data: { a: '1', b: '2' } };
  expect(refreshedInputs(data, data, { kind: 'ConfigMap', data: { a: '1' } })).toEqual({
    kind: 'ConfigMap',
    data: { a: '1' },
  });
});

test('what others added beside the inputs is not ours', () => {
  const inputs = { metadata: { labels: { a: '1' } } };
  expect(refreshedInputs(inputs, inputs, { metadata: { labels: { a: '1', b: '2' } } })).toEqual(inputs);
});

test('a list that got another length is taken as a whole', () => {
  const [before, now] = [{ list: [1, 2] }, { list: [1, 2, 3] }];
  expect(refreshedInputs({ list: [1, 2] }, before, now)).toEqual({ list: [1, 2, 3] });
});

test('a secret that was changed on the server is still one', () => {
  expect(refreshedInputs({ data: { a: new Secret('x') } }, { data: { a: 'x' } }, { data: { a: 'y' } })).toEqual({
    data: { a: new Secret('y') },
  });
});

test('stringData follows what is in data', () => {
  const inputs = { apiVersion: 'v1', kind: 'Secret', stringData: { a: 'old', b: 'gone', c: 'same' } };
  const live = (data: PropertyMap): PropertyMap => ({ apiVersion: 'v1', kind: 'Secret', data });
  const before = live({ a: 'b2xk', b: 'Z29uZQ==', c: 'c2FtZQ==' });
  expect(refreshedInputs(inputs, before, before)).toEqual(inputs);
  expect(refreshedInputs(inputs, before, live({ a: 'bmV3', c: 'c2FtZQ==', d: '' }))).toEqual({
    ...inputs,
    stringData: { a: 'new', c: 'same' },
  });
});

const serverSide = { uid: 'u', resourceVersion: '1', creationTimestamp: 'then', managedFields: [], generation: 1 };

test('an imported object has the inputs that kubectl applied', () => {
  const applied = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a', annotations: {} },
    spec: { ports: [{ port: 80 }] },
  };
  const live = {
    ...applied,
    metadata: {
      ...serverSide,
      name: 'a',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(applied) },
    },
    spec: { ports: [{ port: 80, protocol: 'TCP' }], clusterIP: '10.0.0.1' },
    status: {},
  };
  expect(importedInputs(live)).toEqual({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a' },
    spec: { ports: [{ port: 80, protocol: 'TCP' }] },
  });
});

test('without that it has all but what the server adds', () => {
  const live = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...serverSide, name: 'a', namespace: 'b', labels: { x: 'y' } },
    data: { k: 'v' },
    status: {},
  };
  expect(importedInputs(live)).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'b', labels: { x: 'y' } },
    data: { k: 'v' },
  });
});
