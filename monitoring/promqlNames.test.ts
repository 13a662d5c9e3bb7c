import { expect, test } from 'vitest';
import { promqlNames } from './promqlNames.ts';

test('metrics, matchers and grouping labels, and no function or duration', () => {
  const names = promqlNames(
    'histogram_quantile(0.99, sum by (node, le) (rate(a_bucket{node=~"x|y",key!="1"}[5m]))) > 0.1 unless on (node) b == bool 1 or vector(0)',
  );
  expect(names).toEqual({
    metrics: ['a_bucket', 'b'],
    matchers: [
      { metric: 'a_bucket', label: 'node', operator: '=~', value: 'x|y' },
      { metric: 'a_bucket', label: 'key', operator: '!=', value: '1' },
    ],
    groupedBy: ['node', 'le'],
  });
});

test('a text is no name', () => {
  expect(promqlNames('a{b="c{d} by (e)"}')).toEqual({
    metrics: ['a'],
    matchers: [{ metric: 'a', label: 'b', operator: '=', value: 'c{d} by (e)' }],
    groupedBy: [],
  });
});

test('metrics of an aggregation that is grouped afterwards', () => {
  expect(promqlNames('sum(a) without (b) * 60').metrics).toEqual(['a']);
});
