import { expect, it } from 'vitest';
import { detailOf } from './detail.ts';

const length = (text: string): number => [...text].length;

it('keeps what is short, cuts what is long', () => {
  expect(detailOf('connection refused')).toBe('connection refused');
  expect(detailOf('x'.repeat(1_024))).toBe('x'.repeat(1_024));
  expect(detailOf('x'.repeat(1_025))).toBe(`${'x'.repeat(1_023)}…`);
  expect(length(detailOf('x'.repeat(1_000_000)))).toBe(1_024);
});

it('never cuts a character in two', () => {
  const cut = detailOf('😀'.repeat(2_000));
  expect(length(cut)).toBe(1_024);
  expect(cut.isWellFormed()).toBe(true);
  expect(cut).toBe(`${'😀'.repeat(1_023)}…`);
  for (let lead = 0; lead < 5; lead++)
    expect(detailOf('a'.repeat(lead) + '😀'.repeat(2_000)).isWellFormed()).toBe(true);
});

it('makes valid Unicode of anything', () => {
  expect(detailOf('a\ud800b\udc00')).toBe('a\ufffdb\ufffd');
  expect(JSON.parse(JSON.stringify(detailOf('\u0000\u001b[31m"\\\n')))).toBe('\u0000\u001b[31m"\\\n');
});
