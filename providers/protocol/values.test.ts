import { expect, test } from 'vitest';
import { containsSecret, containsUnknown, equals, reveal, Secret, unknown } from './values.ts';

test('secrets and unknowns are found however deep they are', () => {
  expect(containsSecret({ a: [{ b: new Secret('x') }] })).toBe(true);
  expect(containsUnknown({ a: new Secret([unknown]) })).toBe(true);
  expect(containsSecret({ a: [{ b: 'x' }] })).toBe(false);
});

test('revealing takes every secret off', () => {
  expect(reveal({ a: new Secret({ b: [new Secret('x')] }), c: unknown })).toEqual({ a: { b: ['x'] }, c: unknown });
});

test.each([
  [{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
  [new Secret('x'), 'x', true],
  [{ a: 1 }, { a: 1, b: null }, false],
  [[1, 2], [2, 1], false],
  [1, '1', false],
  [unknown, unknown, false],
  [undefined, null, false],
])('equals(%j, %j) is %j', (left, right, expected) => {
  expect(equals(left, right)).toBe(expected);
});
