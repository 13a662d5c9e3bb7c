import { describe, expect, it } from 'vitest';
import { addSample, type HistoryLimits, type Sample, type Segment } from './history.ts';

const limits: HistoryLimits = { keepMs: 10_000, longestGapMs: 2_000, mostSegments: 4 };
const well: Sample = { status: 'healthy', kekID: 'kek-1', detail: '' };
const ill: Sample = { status: 'error', kekID: null, detail: 'connection refused' };

const history = (...samples: readonly (readonly [number, Sample])[]): readonly Segment[] =>
  samples.reduce<readonly Segment[]>((segments, [at, sample]) => addSample(segments, sample, at, limits), []);

describe('a history', () => {
  it('merges equal neighbours', () => {
    expect(history([0, well], [1_000, well], [2_000, well])).toEqual([{ from: 0, to: 2_000, ...well }]);
  });

  it('ends a segment where the next one begins', () => {
    expect(history([0, well], [1_000, ill], [2_000, well])).toEqual([
      { from: 0, to: 1_000, ...well },
      { from: 1_000, to: 2_000, ...ill },
      { from: 2_000, to: 2_000, ...well },
    ]);
  });

  it.each([
    ['key-encryption key', { ...well, kekID: 'kek-2' }],
    ['detail', { ...well, detail: 'slow' }],
    ['status', { ...well, status: 'unknown' as const }],
  ])('tells another %s from the one before', (_what, other) => {
    expect(history([0, well], [1_000, other])).toHaveLength(2);
  });

  it('leaves a hole where nobody looked', () => {
    expect(history([0, well], [1_000, well], [9_000, well])).toEqual([
      { from: 0, to: 1_000, ...well },
      { from: 9_000, to: 9_000, ...well },
    ]);
  });

  it('forgets what ended too long ago', () => {
    const turns = [well, ill, well, ill].map((sample, turn) => [turn * 1_500, sample] as const);
    const later = Array.from({ length: 10 }, (_, turn) => [6_000 + turn * 1_500, ill] as const);
    expect(history(...turns, ...later)).toEqual([{ from: 4_500, to: 19_500, ...ill }]);
  });

  it('holds no more than it may', () => {
    const turns = Array.from({ length: 100 }, (_, turn) => [turn * 100, turn % 2 === 0 ? well : ill] as const);
    const found = history(...turns);
    expect(found).toHaveLength(4);
    expect(found.at(-1)).toEqual({ from: 9_900, to: 9_900, ...ill });
  });

  it('goes on when the clock is set back', () => {
    expect(history([5_000, well], [1_000, well], [2_000, ill])).toEqual([{ from: 5_000, to: 5_000, ...ill }]);
    expect(history([4_000, well], [5_000, well], [1_000, ill])).toEqual([
      { from: 4_000, to: 5_000, ...well },
      { from: 5_000, to: 5_000, ...ill },
    ]);
  });
});
