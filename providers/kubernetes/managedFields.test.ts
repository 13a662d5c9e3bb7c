import { expect, test } from 'vitest';
import type { PropertyMap } from '../protocol/values.ts';
import { belongsToOthers, isCreatedByUs, takeOver } from './managedFields.ts';

const entry = (manager: string, operation: string, fieldsV1: PropertyMap, more: PropertyMap = {}): PropertyMap => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
});

const object = (...managedFields: PropertyMap[]): PropertyMap => ({ apiVersion: 'v1', metadata: { managedFields } });

const ours = 'pulumi-kubernetes-1234abcd';
const fields = (...names: string[]): PropertyMap => ({
  'f:data': Object.fromEntries(names.map((name) => [`f:${name}`, {}])),
});

test('the first apply takes over what the creation and kubectl set', () => {
  const status = entry('kubelet', 'Update', { 'f:status': {} }, { subresource: 'status' });
  const other = entry('controller', 'Update', fields('x'));
  const live = object(
    entry('pulumi-kubernetes', 'Update', fields('a')),
    entry('kubectl-patch', 'Update', fields('b')),
    status,
    other,
  );
  expect(takeOver(live, ours)).toEqual([
    status,
    other,
    { ...entry(ours, 'Apply', fields('a', 'b')), time: expect.any(String) },
  ]);
});

test('what was applied before stays applied', () => {
  const live = object(entry(ours, 'Apply', fields('a')), entry('kubectl-edit', 'Update', fields('a', 'b')));
  expect(takeOver(live, ours)).toMatchObject([{ manager: ours, fieldsV1: fields('a', 'b') }]);
});

test('with nothing to take over, nothing is written', () => {
  expect(takeOver(object(entry(ours, 'Apply', fields('a')), entry('x', 'Update', {})), ours)).toBeUndefined();
});

test('an object is ours where our name created it', () => {
  expect(isCreatedByUs(object(entry('pulumi-kubernetes', 'Update', fields('a'))))).toBe(true);
  expect(isCreatedByUs(object(entry('kubectl-create', 'Update', fields('a'))))).toBe(false);
  expect(isCreatedByUs(object(entry('pulumi-kubernetes', 'Update', {}, { subresource: 'status' })))).toBe(false);
});

test('a field belongs to others where they set it and we did not', () => {
  const theirs = entry('autoscaler', 'Update', { 'f:spec': { 'f:replicas': {} } });
  expect(belongsToOthers(object(theirs), ['spec', 'replicas'], ours)).toBe(true);
  const shared = object(theirs, entry(ours, 'Apply', { 'f:spec': { 'f:replicas': {} } }));
  expect(belongsToOthers(shared, ['spec', 'replicas'], ours)).toBe(false);
  expect(belongsToOthers(object(theirs), ['spec', 'paused'], ours)).toBe(false);
});
