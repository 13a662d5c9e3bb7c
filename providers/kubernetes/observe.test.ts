import { expect, test } from 'vitest';
import type { PropertyMap } from '../protocol/values.ts';
import { ApiError, type KubeClient, Unreachable } from './client.ts';
import { observeList, observeObject } from './observe.ts';

const mapping = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const { signal } = new AbortController();

const version = (resourceVersion: string, name = 'a'): PropertyMap => ({ metadata: { name, resourceVersion } });

type Answer = PropertyMap | Error;

/** A server that answers each request with the next of a script, and logs what it was asked. */
const scripted = (answers: Answer[], watches: (readonly (PropertyMap | Error)[] | Error)[]) => {
  const asked: string[] = [];
  const client: KubeClient = {
    send: async ({ path }) => {
      asked.push(`get ${path}`);
      const answer = answers.shift() ?? new Error('the script is over');
      if (answer instanceof Error) throw answer;
      return { body: answer, warnings: [] };
    },
    text: async () => '',
    async *watch(_path, query) {
      asked.push(`watch from ${query?.resourceVersion}`);
      const events = watches.shift() ?? new Error('the script is over');
      if (events instanceof Error) throw events;
      for (const event of events) {
        if (event instanceof Error) throw event;
        yield event;
      }
    },
    close: () => {},
  };
  return { client, asked };
};

const take = async <T>(states: AsyncGenerator<T>, count: number): Promise<T[]> => {
  const taken: T[] = [];
  for await (const state of states) {
    taken.push(state);
    if (taken.length === count) break;
  }
  return taken;
};

const modified = (object: PropertyMap): PropertyMap => ({ type: 'MODIFIED', object });

test('an object that is known is not asked for, but watched from where it is', async () => {
  const { client, asked } = scripted([], [[modified(version('2')), { type: 'DELETED', object: version('3') }]]);
  const address = { client, mapping, namespace: 'default', name: 'a' };
  expect(await take(observeObject(address, version('1'), signal), 3)).toEqual([version('1'), version('2'), undefined]);
  expect(asked).toEqual(['watch from 1']);
});

test.each([
  ['ends', []],
  ['breaks', [new Error('socket hang up')]],
  ['has expired', [new ApiError(410, { message: 'too old' })]],
  ['cannot begin', new Unreachable('restarting')],
])('a watch that %s is begun again from the object as it is', async (_name, watch) => {
  const { client, asked } = scripted([version('5')], [watch, [modified(version('6'))]]);
  const address = { client, mapping, namespace: 'default', name: 'a' };
  const states = await take(observeObject(address, version('1'), signal), 3);
  expect(states).toEqual([version('1'), version('5'), version('6')]);
  expect(asked).toEqual(['watch from 1', 'get /api/v1/namespaces/default/configmaps/a', 'watch from 5']);
});

test('a server that restarts is asked until it answers', async () => {
  const restarting = [new Unreachable('no'), new ApiError(503, {})];
  const { client } = scripted([...restarting, version('5')], []);
  const address = { client, mapping, namespace: 'default', name: 'a' };
  expect(await take(observeObject(address, undefined, signal), 1)).toEqual([version('5')]);
});

test('an object that is not there is not there', async () => {
  const { client } = scripted([new ApiError(404, { reason: 'NotFound' })], []);
  const address = { client, mapping, namespace: 'default', name: 'a' };
  expect(await take(observeObject(address, undefined, signal), 1)).toEqual([undefined]);
});

test('what the server refuses is an error', async () => {
  const { client } = scripted([], [new ApiError(403, { message: 'forbidden' })]);
  const address = { client, mapping, namespace: 'default', name: 'a' };
  await expect(take(observeObject(address, version('1'), signal), 2)).rejects.toThrow('forbidden');
});

test('a list follows what comes, changes and goes', async () => {
  const list = { metadata: { resourceVersion: '7' }, items: [version('1', 'a')] };
  const events = [
    { type: 'ADDED', object: version('8', 'b') },
    { type: 'BOOKMARK', object: version('9', '') },
    { type: 'DELETED', object: version('10', 'a') },
  ];
  const { client, asked } = scripted([list], [events]);
  const states = await take(observeList(client, mapping, 'default', 'app=a', signal), 3);
  expect(states).toEqual([[version('1', 'a')], [version('1', 'a'), version('8', 'b')], [version('8', 'b')]]);
  expect(asked[1]).toBe('watch from 7');
});
