import { expect, test } from 'vitest';
import { diffMaps } from './diff.ts';
import { formatPath, parsePath } from './path.ts';
import { type PropertyMap, Secret, unknown } from './values.ts';

const changes = (before: PropertyMap, after: PropertyMap): Record<string, string> =>
  Object.fromEntries(diffMaps(before, after).map(({ path, kind }) => [formatPath(path), kind]));

test.each<[string, PropertyMap, PropertyMap, Record<string, string>]>([
  ['nothing changed', { a: { b: [1] } }, { a: { b: [1] } }, {}],
  ['a value changed', { a: { b: 1 } }, { a: { b: 2 } }, { 'a.b': 'update' }],
  ['a value came', { a: {} }, { a: { b: { c: 1 } } }, { 'a.b': 'add' }],
  ['a value went', { a: { b: 1 } }, { a: {} }, { 'a.b': 'delete' }],
  ['a list grew', { a: [1] }, { a: [1, 2] }, { 'a[1]': 'add' }],
  ['a list shrank in front', { a: [1, 2] }, { a: [2] }, { 'a[0]': 'update', 'a[1]': 'delete' }],
  ['a map became a text', { a: { b: 1 } }, { a: 'b' }, { a: 'update' }],
  ['null is as good as absent', { a: null }, {}, {}],
  ['a secret counts as its content', { a: new Secret('x') }, { a: 'x' }, {}],
  ['a secret changed', { a: new Secret('x') }, { a: new Secret('y') }, { a: 'update' }],
  ['what is not known yet may be anything', { a: 'x' }, { a: unknown }, { a: 'update' }],
  ['keys with dots are quoted', { a: {} }, { a: { 'b.c/d': 1 } }, { 'a["b.c/d"]': 'add' }],
])('%s', (_name, before, after, expected) => {
  expect(changes(before, after)).toEqual(expected);
});

test.each([['spec.ports[0].name'], ['metadata.annotations["a.b/c"].x'], ['a["with \\"quotes\\""]']])(
  'the path %s reads back',
  (text) => {
    expect(formatPath(parsePath(text))).toBe(text);
  },
);

test('a star in a path is any element', () => {
  expect(parsePath('a[*].b')).toEqual(['a', '*', 'b']);
});
