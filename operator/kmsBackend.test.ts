import { expect, it } from 'vitest';
import { errorCodes, faultKinds } from '../plugin/faults/fault.ts';
import { faultFields, kmsBackendDefinition } from './kmsBackend.ts';

it('takes the faults that the plugin takes', () => {
  const ofPlugin = faultKinds.map(({ name, fields }) => [
    name,
    fields.filter(({ required }) => required).map((field) => field.name),
    fields.flatMap((field) => (field.required ? [] : [field.name])).sort(),
  ]);
  const ours = Object.entries(faultFields).map(([name, { required, optional }]) => [
    name,
    required,
    [...optional].sort(),
  ]);
  expect(new Set(ours.map((kind) => JSON.stringify(kind)))).toEqual(
    new Set(ofPlugin.map((kind) => JSON.stringify(kind))),
  );
});

it('knows the codes that the plugin knows', () => {
  const { faults } = kmsBackendDefinition.spec.versions[0]?.schema.openAPIV3Schema.properties.spec.properties ?? {};
  expect(faults?.additionalProperties.properties.code.enum).toEqual([...errorCodes]);
});
