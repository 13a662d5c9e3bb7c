import { describe, expect, test } from 'vitest';
import { type PropertyMap, unknown } from '../protocol/values.ts';
import { diffObjects } from './diff.ts';

const mutability = { enableSecretMutable: false, enableConfigMapMutable: false };

const configMap = (metadata: PropertyMap, data: PropertyMap = { a: '1' }): PropertyMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data,
});

/** As the API server shows what was created from the inputs. */
const stored = (inputs: PropertyMap, metadata: PropertyMap): PropertyMap => ({
  ...inputs,
  metadata: { ...metadata, uid: 'u', resourceVersion: '7' },
  __inputs: inputs,
});

const diff = (
  oldInputs: PropertyMap,
  inputs: PropertyMap,
  live: PropertyMap,
  ignoreChanges: string[] = [],
  isPatch = false,
) => {
  const call = { oldInputs, oldOutputs: stored(oldInputs, live), inputs, ignoreChanges };
  const { changes, deleteBeforeReplace } = diffObjects(call, isPatch, mutability);
  return {
    changes: Object.fromEntries([...changes].map(([path, change]) => [path, change.replaces])),
    deleteBeforeReplace,
  };
};

const inDefault = { name: 'a', namespace: 'default' };

test('inputs that the server completes are no change', () => {
  expect(diff(configMap({ name: 'a' }), configMap({ name: 'a' }), inDefault).changes).toEqual({});
});

test('a namespace that is said now and was meant before is no change', () => {
  expect(diff(configMap({ name: 'a' }), configMap(inDefault), inDefault).changes).toEqual({});
  expect(diff(configMap(inDefault), configMap({ name: 'a' }), inDefault).changes).toEqual({});
});

test('a namespace means nothing for a kind that has none', () => {
  const inputs = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } };
  expect(diff(inputs, { ...inputs, metadata: inDefault }, { name: 'a' }).changes).toEqual({});
});

test('read-only fields among the inputs are no change', () => {
  expect(
    diff(configMap({ name: 'a' }), configMap({ name: 'a', uid: 'x', managedFields: [] }), inDefault).changes,
  ).toEqual({});
});

test('another namespace replaces, and the new object can be made first', () => {
  expect(diff(configMap(inDefault), configMap({ name: 'a', namespace: 'b' }), inDefault)).toEqual({
    changes: { 'metadata.namespace': true },
    deleteBeforeReplace: false,
  });
});

test('a fixed name must be free before the replacement', () => {
  expect(diff(configMap(inDefault), configMap(inDefault, { a: '2' }), inDefault)).toEqual({
    changes: { 'data.a': true },
    deleteBeforeReplace: true,
  });
});

test('a made-up name gives way to another one', () => {
  const named = { ...inDefault, annotations: { 'pulumi.com/autonamed': 'true' } };
  expect(diff(configMap(named), configMap(named, { a: '2' }), inDefault)).toEqual({
    changes: { 'data.a': true },
    deleteBeforeReplace: false,
  });
});

test('a name that is not known yet replaces', () => {
  expect(diff(configMap(inDefault), configMap({ ...inDefault, name: unknown }), inDefault)).toEqual({
    changes: { 'metadata.name': true },
    deleteBeforeReplace: false,
  });
});

test('what the program ignores is no change', () => {
  expect(diff(configMap(inDefault), configMap(inDefault, { a: '2', b: '3' }), inDefault, ['data.a']).changes).toEqual({
    'data.b': true,
  });
});

test('a patch of data is an update', () => {
  expect(diff(configMap(inDefault), configMap(inDefault, { a: '2' }), inDefault, [], true)).toEqual({
    changes: { 'data.a': false },
    deleteBeforeReplace: false,
  });
});

describe('a Secret whose state the official provider wrote', () => {
  const secret = (fields: PropertyMap): PropertyMap => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: inDefault,
    ...fields,
  });
  const old = secret({ data: { a: 'MQ==', b: 'Mg==' } });

  test('is the same with stringData', () => {
    expect(diff(old, secret({ data: { b: 'Mg==' }, stringData: { a: '1' } }), inDefault).changes).toEqual({});
  });

  test('shows what changes in it', () => {
    const { changes } = diff(old, secret({ stringData: { a: '2', b: unknown } }), inDefault);
    expect(changes).toEqual({ 'data.a': true, 'data.b': true });
  });
});
