import { describe, expect, test } from 'vitest';
import { excludedProblems, isExcluded, splitExpressions } from './excluded.ts';
import { listCases } from './listCases.ts';

test('a list of one line is split at commas, one of several lines at line breaks', () => {
  expect(splitExpressions('a, b,\tc ,')).toEqual(['a', 'b', 'c']);
  expect(splitExpressions('a{1,2}\n\n  b, c\r\n')).toEqual(['a{1,2}', 'b, c']);
  expect(splitExpressions('')).toEqual([]);
});

describe('a list', () => {
  const titled = listCases.map((given) => ({ title: JSON.stringify(given.list).slice(0, 60), ...given }));
  test.each(titled)('$title is judged: $problem', ({ list, problem }) => {
    expect(excludedProblems(list)).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)]);
  });
});

test('each invalid expression of a list is reported', () => {
  expect(excludedProblems('a(,b,*')).toEqual([
    "has an invalid expression 'a(': error parsing regexp: missing closing ): `a(`",
    "has an invalid expression '*': error parsing regexp: missing argument to repetition operator: `*`",
  ]);
});

test('the costliest list that is allowed takes less than a second', () => {
  const list = `^${'a{0,99}'.repeat(32)}${'a*'.repeat(800)}b$\n`;
  expect(excludedProblems(list)).toEqual([]);
  const start = performance.now();
  expect(isExcluded('a'.repeat(253), list)).toBe(false);
  expect(performance.now() - start).toBeLessThan(1_000);
});

test('a name that no pod can have is not matched at all', () => {
  expect(isExcluded('a'.repeat(254), 'x(')).toBe(true);
});
