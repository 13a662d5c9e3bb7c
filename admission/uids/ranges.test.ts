import { describe, expect, it } from 'vitest';
import { annotationsOf, identityOf, lowestFree, parseRange, rangeAnnotations, takenBlocks } from './ranges.ts';

const { uids, groups, mcs } = rangeAnnotations;

describe('a range', () => {
  it.each([
    ['1000650000/10000', { first: 1_000_650_000, last: 1_000_659_999 }],
    ['1000650000-1000659999', { first: 1_000_650_000, last: 1_000_659_999 }],
    [' 5/1 ', { first: 5, last: 5 }],
    ['', undefined],
    ['x', undefined],
    ['5', undefined],
    ['5/0', undefined],
    ['9-5', undefined],
    ['0/10', undefined],
    ['4000000000/10000', undefined],
    ['1000650000/10000 or so', undefined],
  ])('is read from %j', (text, range) => expect(parseRange(text)).toEqual(range));
});

describe('the lowest free block', () => {
  const taken = (...ranges: readonly string[]) => takenBlocks(ranges.map((range) => ({ [uids]: range })));

  it.each([
    [[], 0],
    [['1000000000/10000'], 1],
    [['1000010000/10000', '1000000000/10000', '1000030000/10000'], 2],
    [['1000005000-1000014999'], 2],
    [['5/10', '2100000000/10000', 'nonsense'], 0],
    [['1000000000-1999999999'], undefined],
  ])('after %j is %j', (ranges, block) => expect(lowestFree(taken(...ranges))).toBe(block));
});

describe('annotations', () => {
  // As clusters of OpenShift have them.
  it.each([
    ['1000000000/10000', 's0:c1,c0'],
    ['1000650000/10000', 's0:c26,c0'],
    ['1000670000/10000', 's0:c26,c10'],
    ['1000690000/10000', 's0:c26,c20'],
  ])('of %s have the label %s', (range, label) => {
    const block = (Number(range.split('/')[0]) - 1_000_000_000) / 10_000;
    expect(annotationsOf(block)).toEqual({ [uids]: range, [groups]: range, [mcs]: label });
  });

  it('keep a label that is there', () => {
    expect(annotationsOf(0, { [mcs]: 's0:c9,c3' })).not.toHaveProperty([mcs]);
  });

  it('of all blocks have labels of their own, of the 1024 categories', () => {
    const labels = Array.from({ length: 100_000 }, (_, block) => annotationsOf(block)[mcs] ?? '');
    expect(new Set(labels).size).toBe(100_000);
    expect(labels.at(-1)).toBe('s0:c1000,c495');
  });
});

describe('who pods of a namespace are', () => {
  it.each([
    [{ [uids]: '7000/10' }, { uid: 7000, fsGroup: 7000 }],
    [
      { [uids]: '7000/10', [groups]: '8000/10,9000/10' },
      { uid: 7000, fsGroup: 8000 },
    ],
    [{ [uids]: 'all' }, { problem: `${uids}: 'all' is not <start>/<size>` }],
    [{ [uids]: '7000/10', [groups]: '' }, { problem: `${groups}: '' is not <start>/<size>` }],
  ])('is told by %j', (annotations, identity) => expect(identityOf(annotations)).toEqual(identity));
});
