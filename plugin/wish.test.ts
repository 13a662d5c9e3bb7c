import { describe, expect, test } from 'vitest';
import { parseWish, WishError, wantedKeys } from './wish.ts';

const text =
  '{"keys":[{"number":1,"version":3},{"number":2,"version":1}],"faults":[{"name":"slow","kind":"latency","milliseconds":300,"key":1,"until":"2026-11-21T09:00:00Z"}]}';

test('a wish with keys and faults', () => {
  expect(parseWish(text)).toEqual({
    keys: [
      { number: 1, version: 3 },
      { number: 2, version: 1 },
    ],
    faults: [{ name: 'slow', kind: 'latency', milliseconds: 300, key: 1, until: '2026-11-21T09:00:00Z' }],
  });
  expect(parseWish('{"keys":[]}')).toEqual({ keys: [], faults: [] });
});

describe('what is refused', () => {
  test('every cut', () => {
    for (let length = 0; length < text.length; length++) {
      expect(() => parseWish(text.slice(0, length)), `${length}`).toThrow(WishError);
    }
  });

  test.each([
    ['nothing', '', 'it is empty'],
    ['no object', '[]', 'must be {"keys"'],
    ['no keys', '{"faults":[]}', 'keys must be a list of keys'],
    ['something else', '{"keys":[],"x":1}', 'must be {"keys"'],
    ['key 0', '{"keys":[{"number":0,"version":1}]}', 'keys 0 number must be a whole number from 1'],
    ['a key number that is a text', '{"keys":[{"number":"1","version":1}]}', 'keys 0 number must be'],
    ['version 0', '{"keys":[{"number":1,"version":0}]}', 'keys 0 version must be'],
    ['no version', '{"keys":[{"number":1}]}', 'keys 0 version must be'],
    ['half a version', '{"keys":[{"number":1,"version":1.5}]}', 'keys 0 version must be'],
    ['a version beyond bounds', '{"keys":[{"number":1,"version":2147483648}]}', 'keys 0 version must be'],
    ['a key with more', '{"keys":[{"number":1,"version":1,"x":1}]}', 'keys 0 must be {"number"'],
    ['a key twice', '{"keys":[{"number":1,"version":1},{"number":1,"version":2}]}', 'keys must name each key once'],
    ['a fault of an unknown kind', '{"keys":[],"faults":[{"name":"a","kind":"fire"}]}', 'faults 0 kind must be one of'],
  ])('%s', (_name, wish, reason) => {
    expect(() => parseWish(wish)).toThrow(WishError);
    expect(() => parseWish(wish)).toThrow(reason);
  });
});

describe('wantedKeys', () => {
  const plain = { number: 0, socketPath: '/run/socket.sock', version: 1 };
  const first = { number: 1, socketPath: '/run/kms-1.sock', version: 3 };
  const second = { number: 2, socketPath: '/run/kms-2.sock', version: 1 };
  const now = Date.parse('2026-11-21T08:00:00Z');
  const missing = (fault: string) =>
    parseWish(text.replace('"latency","milliseconds":300,"key":1', `"missing-socket"${fault}`));

  test('the plain key and those of the wish', () => {
    expect(wantedKeys(parseWish(text), '/run/socket.sock', '/run', now)).toEqual([plain, first, second]);
    expect(wantedKeys(parseWish(text), undefined, '/run', now)).toEqual([first, second]);
  });

  test('a fault takes sockets away, until it is over', () => {
    expect(wantedKeys(missing(',"key":1'), '/run/socket.sock', '/run', now)).toEqual([plain, second]);
    expect(wantedKeys(missing(''), '/run/socket.sock', '/run', now)).toEqual([]);
    const later = Date.parse('2026-11-21T09:00:00Z');
    expect(wantedKeys(missing(''), '/run/socket.sock', '/run', later)).toEqual([plain, first, second]);
  });
});
