import { expect, test } from 'vitest';
import { applyConfiguration } from './applyConfiguration.ts';

test('nested fields become typed CEL objects, strings are quoted', () => {
  expect(applyConfiguration({ spec: { kms: { type: 'Vault', path: 'a"b' } } })).toBe(
    'Object{spec: Object.spec{kms: Object.spec.kms{type: "Vault", path: "a\\"b"}}}',
  );
});
