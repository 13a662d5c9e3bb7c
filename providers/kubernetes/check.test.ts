import { expect, test } from 'vitest';
import type { CheckCall } from '../protocol/provider.ts';
import { Asset, type PropertyMap, Secret, unknown } from '../protocol/values.ts';
import { timeoutMsOf } from './annotations.ts';
import { checkInputs, isPatchResource, refuseUnsupported } from './check.ts';
import { at, nameOf } from './objects.ts';

const configMap = 'kubernetes:core/v1:ConfigMap';

const call = (inputs: PropertyMap, more: Partial<CheckCall> = {}): CheckCall => ({
  urn: '',
  type: configMap,
  name: 'settings',
  oldInputs: undefined,
  inputs,
  randomSeed: Uint8Array.of(1, 2, 3),
  autonaming: undefined,
  ...more,
});

const checked = (inputs: PropertyMap, more: Partial<CheckCall> = {}, namespace?: string): PropertyMap => {
  const result = checkInputs(call(inputs, more), namespace);
  expect(result.failures).toEqual([]);
  return result.inputs;
};

test('an object without a name gets one from its resource, the same for the same seed', () => {
  const inputs = checked({ apiVersion: 'v1', kind: 'ConfigMap' });
  expect(nameOf(inputs)).toMatch(/^settings-[0-9a-f]{8}$/);
  expect(at(inputs, 'metadata', 'annotations')).toEqual({ 'pulumi.com/autonamed': 'true' });
  expect(checked({ apiVersion: 'v1', kind: 'ConfigMap' })).toEqual(inputs);
  expect(nameOf(checked({}, { randomSeed: Uint8Array.of(4) }))).not.toBe(nameOf(inputs));
});

test('a made-up name is kept, one that the program took back is not', () => {
  const old = checked({});
  expect(nameOf(checked({}, { oldInputs: old, randomSeed: Uint8Array.of(9) }))).toBe(nameOf(old));
  expect(nameOf(checked({}, { oldInputs: { metadata: { name: 'fixed' } } }))).toMatch(/^settings-/);
});

test("the stack's autonaming settings are followed", () => {
  const autonaming = { mode: 'propose', proposedName: 'settings-dev' } as const;
  expect(nameOf(checked({}, { autonaming }))).toBe('settings-dev');
  expect(() => checkInputs(call({}, { autonaming: { mode: 'disable', proposedName: '' } }), undefined)).toThrow(
    /could not name the resource 'settings'/,
  );
});

test('names that are not known yet, or secret, are left alone', () => {
  expect(checked({ metadata: { name: unknown } }).metadata).toEqual({ name: unknown });
  expect(checked({ metadata: unknown }, {}, 'default').metadata).toEqual(unknown);
  expect(checked({ metadata: new Secret({ labels: {} }) }, {}, 'team').metadata).toBeInstanceOf(Secret);
});

test("kind and namespace are filled in, the program's win", () => {
  const metadata = { name: 'a' };
  expect(checked({ metadata }, {}, 'team')).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'team' },
  });
  expect(at(checked({ metadata: { ...metadata, namespace: 'b' } }, {}, 'team'), 'metadata', 'namespace')).toBe('b');
});

test.each<[string, PropertyMap, string]>([
  ['a generated name', { metadata: { generateName: 'a-' } }, 'metadata.generateName'],
  [
    'waitFor',
    { metadata: { annotations: { 'pulumi.com/waitFor': 'condition=Ready' } } },
    'metadata.annotations["pulumi.com/waitFor"]',
  ],
  ['a file', { data: { a: new Asset({}) } }, ''],
])('%s is refused', (_name, inputs, property) => {
  expect(checkInputs(call(inputs), undefined).failures).toMatchObject([{ property }]);
});

test('a patch needs a name', () => {
  const patch = { type: `${configMap}Patch` };
  const inputs = { apiVersion: 'v1', kind: 'ConfigMap' };
  expect(checkInputs(call(inputs, patch), undefined).failures).toMatchObject([{ property: 'metadata.name' }]);
});

test('a custom kind whose name ends in Patch is no patch', () => {
  expect(isPatchResource('kubernetes:example.com/v1:EyePatch', { kind: 'EyePatch' })).toBe(false);
  expect(isPatchResource('kubernetes:core/v1:ConfigMapPatch', { kind: 'ConfigMap' })).toBe(true);
});

test.each([
  ['kubernetes:helm.sh/v3:Release', {}],
  ['kubernetes:kustomize/v2:Directory', {}],
  ['kubernetes:yaml/v2:ConfigGroup', {}],
  ['kubernetes:core/v1:ConfigMapList', { items: [] }],
])('%s is left to the official provider', (type, inputs) => {
  expect(() => refuseUnsupported(call(inputs, { type }))).toThrow(/pulumi plugin install resource kubernetes/);
});

test('a custom kind whose name ends in List is no list', () => {
  expect(() => refuseUnsupported(call({ spec: {} }, { type: 'kubernetes:example.com/v1:AllowList' }))).not.toThrow();
});

test('the time to wait comes from the options, the annotation, or is ten minutes', () => {
  const inputs = (text: string): PropertyMap => ({ metadata: { annotations: { 'pulumi.com/timeoutSeconds': text } } });
  expect(timeoutMsOf(inputs('30'), 5)).toBe(5_000);
  expect(timeoutMsOf(inputs('30'), 0)).toBe(30_000);
  expect(timeoutMsOf({}, 0)).toBe(600_000);
  expect(() => timeoutMsOf(inputs('soon'), 0)).toThrow(/is 'soon'/);
});
