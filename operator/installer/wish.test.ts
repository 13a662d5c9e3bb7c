import { expect, it } from 'vitest';
import { emptyWish, makeWish, parseWish, renderWish } from './wish.ts';

it('gives keys their versions, 1 where nothing else is said', () => {
  expect(makeWish('a', [2, 1, 2], { keyVersions: { '2': 3 } }, emptyWish).keys).toEqual([
    { number: 1, version: 1 },
    { number: 2, version: 3 },
  ]);
});

it('leaves out the faults of other nodes, and sorts the rest by name', () => {
  const faults = {
    slow: { kind: 'latency', milliseconds: 300, node: 'a' },
    gone: { kind: 'missing-socket', key: 1 },
    other: { kind: 'hang', node: 'b' },
  } as const;
  expect(makeWish('a', [], { faults }, emptyWish).faults).toEqual([
    { name: 'gone', kind: 'missing-socket', key: 1 },
    { name: 'slow', kind: 'latency', milliseconds: 300 },
  ]);
});

it('keeps versions and faults while the backend is not known', () => {
  const previous = { keys: [{ number: 1, version: 4 }], faults: [{ name: 'x', kind: 'hang' }] } as const;
  expect(makeWish('a', [1, 2], undefined, previous)).toEqual({
    keys: [
      { number: 1, version: 4 },
      { number: 2, version: 1 },
    ],
    faults: previous.faults,
  });
});

it('never goes back in versions, and forgets the keys that nobody names', () => {
  const previous = {
    keys: [
      { number: 1, version: 4 },
      { number: 9, version: 2 },
    ],
    faults: [],
  };
  expect(makeWish('a', [1], { keyVersions: { '1': 2 } }, previous).keys).toEqual([{ number: 1, version: 4 }]);
});

it('reads what it writes, and takes anything else for nothing', () => {
  const wish = makeWish('a', [1], { faults: { x: { kind: 'hang' } } }, emptyWish);
  expect(parseWish(renderWish(wish))).toEqual(wish);
  for (const content of [undefined, '', '{"keys"', '[]', '{"keys":1,"faults":[]}']) {
    expect(parseWish(content)).toEqual(emptyWish);
  }
});
