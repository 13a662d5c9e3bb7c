import { expect, test } from 'vitest';
import type { ApiClient } from './apiClient.ts';
import { type Position, rewriteAll, summary } from './rewrite.ts';

/** An API server with these config maps, one page; patches are answered by `patch`. */
const serving = (
  items: readonly { readonly namespace?: string; readonly name: string }[],
  patch: (path: string) => number,
): ApiClient & { readonly patched: readonly string[] } => {
  const patched: string[] = [];
  return {
    patched,
    send: async ({ method, path }) => {
      if (method === 'GET') {
        return { status: 200, body: JSON.stringify({ metadata: {}, items: items.map((metadata) => ({ metadata })) }) };
      }
      patched.push(path);
      return { status: patch(path), body: '{"message":"no"}' };
    },
    close: () => {},
  };
};

const path = '/api/v1/configmaps';
const named = (...names: readonly string[]) => names.map((name) => ({ namespace: 'a', name }));
const { signal } = new AbortController();

test('what others deleted or wrote counts as written', async () => {
  const client = serving(named('1', '2', '3'), (path) => ({ 1: 404, 2: 409 })[path.at(-1) ?? ''] ?? 200);
  const positions: Position[] = [];
  const task = { path, after: '', report: (position: Position) => positions.push(position) };
  expect(await rewriteAll(client, task, signal)).toEqual([]);
  expect(client.patched).toEqual(['1', '2', '3'].map((name) => `/api/v1/namespaces/a/configmaps/${name}`));
  expect(positions.at(-1)).toEqual({ last: 'a/3', done: 3, total: 3 });
});

test('objects without a namespace, and those of a group, have paths of their own', async () => {
  const client = serving([{ name: 'one' }], () => 200);
  await rewriteAll(client, { path: '/apis/x.io/v1/things', after: '', report: () => {} }, signal);
  expect(client.patched).toEqual(['/apis/x.io/v1/things/one']);
});

test('the position stays before an object that could not be written', async () => {
  const client = serving(named('1', '2', '3', '4'), (path) => (path.endsWith('/2') ? 422 : 200));
  const positions: Position[] = [];
  const task = { path, after: '', report: (position: Position) => positions.push(position) };
  expect(await rewriteAll(client, task, signal)).toEqual(['a/2: no']);
  expect(positions.at(-1)).toEqual({ last: 'a/1', done: 3, total: 4 });
});

test('it stops where nothing can be written', async () => {
  const client = serving(named(...Array.from({ length: 100 }, (_, i) => String(1000 + i))), () => 422);
  await expect(rewriteAll(client, { path, after: '', report: () => {} }, signal)).rejects.toThrow(
    /^32 objects could not be written: a\/1000: no; a\/1001: no; a\/1002: no; …$/,
  );
  expect(client.patched.length).toBeLessThan(100);
});

test('objects out of order are an error: one would be passed over', async () => {
  const client = serving(named('2', '1'), () => 200);
  await expect(rewriteAll(client, { path, after: '', report: () => {} }, signal)).rejects.toThrow(/out of order/);
});

test('what is before the checkpoint is passed over and counted', async () => {
  const client = serving(named('1', '2', '3'), () => 200);
  const positions: Position[] = [];
  const task = { path, after: 'a/2', report: (position: Position) => positions.push(position) };
  expect(await rewriteAll(client, task, signal)).toEqual([]);
  expect(positions).toEqual([{ last: 'a/3', done: 3, total: 3 }]);
});

test('few failures are told in full', () => {
  expect(summary(['a/1: no', 'a/2: no'])).toBe('2 objects could not be written: a/1: no; a/2: no');
});
