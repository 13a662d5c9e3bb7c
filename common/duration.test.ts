import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['0', 0],
  ['5s', 5_000],
  ['300ms', 300],
  ['1.5h', 5_400_000],
  ['2m30s', 150_000],
  ['.5s', 500],
  ['1.s', 1_000],
  ['1us', 0.001],
  ['1µs', 0.001],
  ['1000000ns', 1],
])('%s', (text, ms) => {
  expect(parseDuration(text)).toBeCloseTo(ms, 9);
});

test.each(['', '5', 's', '5 s', '-5s', '+5s', '5d', '1s2', 'abc', '.s', '5S', '1e3s'])("'%s' is none", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
