import { expect, test } from 'vitest';
import { containsSecret, type PropertyMap, Secret } from '../protocol/values.ts';
import { checkpointFrom, markSecrets, objectFrom, outputsOf, propertiesFrom } from './checkpoint.ts';

const checkpoint = { initialApiVersion: 'v1', fieldManager: 'pulumi-kubernetes-1234abcd' };

test('outputs are the live object, the inputs, the first API version and the field manager', () => {
  const inputs = { apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } };
  const live = { ...inputs, metadata: { uid: 'u' } };
  const outputs = outputsOf({ inputs, live, ...checkpoint });
  expect(outputs).toEqual({
    ...live,
    __inputs: inputs,
    __initialApiVersion: 'v1',
    __fieldManager: 'pulumi-kubernetes-1234abcd',
  });
  expect(checkpointFrom(outputs)).toEqual({ inputs, live, ...checkpoint });
});

test('state of before there were field managers is read', () => {
  expect(checkpointFrom({ apiVersion: 'v1', kind: 'Pod' })).toMatchObject({
    inputs: {},
    initialApiVersion: 'v1',
    fieldManager: undefined,
  });
});

test('data of a Secret is secret, whether the inputs say so or not', () => {
  const inputs = { apiVersion: 'v1', kind: 'Secret', stringData: { a: 'hidden' } };
  const live = { apiVersion: 'v1', kind: 'Secret', data: { a: 'aGlkZGVu' } };
  const outputs = outputsOf({ inputs, live, ...checkpoint });
  expect(outputs.data).toEqual(new Secret({ a: 'aGlkZGVu' }));
  expect(outputs.__inputs).toEqual({ ...inputs, stringData: new Secret({ a: 'hidden' }) });
});

test('what was secret in the inputs is secret in the outputs, and nothing beside it', () => {
  const inputs = { data: { a: new Secret('x'), b: 'y' } };
  expect(markSecrets({ data: { a: 'x', b: 'y', c: 'z' } }, inputs)).toEqual({
    data: { a: new Secret('x'), b: 'y', c: 'z' },
  });
});

test('a list with a secret is secret as a whole: its elements may have moved', () => {
  const inputs: PropertyMap = { spec: { env: [{ name: 'A' }, { value: new Secret('x') }] } };
  const env: PropertyMap[] = [{ value: 'x' }, { name: 'A' }];
  expect(markSecrets({ spec: { env, replicas: 1 } }, inputs)).toEqual({ spec: { env: new Secret(env), replicas: 1 } });
});

test('a secret map hides the whole map, and its own secrets once', () => {
  const marked = markSecrets({ data: { a: new Secret('x') } }, { data: new Secret({ a: 'x' }) });
  expect(marked).toEqual({ data: new Secret({ a: 'x' }) });
});

test('secrets do not reach the API server as such', () => {
  expect(containsSecret(objectFrom({ data: new Secret({ a: new Secret('x') }) }))).toBe(false);
});

test('schema extensions have dashes at the API server and underscores in a program', () => {
  const properties = {
    kind: 'CustomResourceDefinition',
    spec: { versions: [{ schema: { x_kubernetes_preserve_unknown_fields: true, my_own: 1 } }] },
  };
  const object = {
    kind: 'CustomResourceDefinition',
    spec: { versions: [{ schema: { 'x-kubernetes-preserve-unknown-fields': true, my_own: 1 } }] },
  };
  expect(objectFrom(properties)).toEqual(object);
  expect(propertiesFrom(object)).toEqual(properties);
});
