import { setTimeout as sleep } from 'node:timers/promises';
import { isMap } from '../protocol/values.ts';
import { ApiError, type KubeClient, Unreachable } from './client.ts';
import { pathOf, type ResourceMapping } from './discovery.ts';
import { type KubeObject, listAt, nameOf, stringAt } from './objects.ts';
import { findObject, listObjects, type ObjectAddress } from './resource.ts';

const reconnectMs = 200;

/** Whether an observer should look again: a watch that expired, a server that restarts or is busy. */
const isPassing = (thrown: unknown): boolean =>
  thrown instanceof Unreachable ||
  (thrown instanceof ApiError && (thrown.code === 410 || thrown.code === 429 || thrown.code >= 500));

const versionOf = (object: KubeObject): string | undefined => stringAt(object, 'metadata', 'resourceVersion');

async function* watchEvents(
  client: KubeClient,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): AsyncGenerator<{ readonly type: string; readonly object: KubeObject }> {
  try {
    for await (const event of client.watch(path, { ...query, allowWatchBookmarks: 'true' }, signal)) {
      const { type, object } = event;
      if (typeof type === 'string' && type !== 'BOOKMARK' && isMap(object)) yield { type, object };
    }
  } catch (error) {
    // A connection that breaks in the middle of a stream is an end of the stream like any other.
    if (signal.aborted || (error instanceof ApiError && !isPassing(error))) throw error;
  }
}

async function retrying<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      await sleep(reconnectMs, undefined, { signal });
    }
  }
}

/**
 * An object as it is and after each of its changes; undefined once it is gone. Goes on over restarts of the server.
 * @param known how it was last seen: nothing is asked for what is known already.
 */
export async function* observeObject(
  address: ObjectAddress,
  known: KubeObject | undefined,
  signal: AbortSignal,
): AsyncGenerator<KubeObject | undefined> {
  let current = known ?? (await retrying(() => findObject(address, signal), signal));
  yield current;
  for (;;) {
    if (current !== undefined) {
      const query = { fieldSelector: `metadata.name=${address.name}`, resourceVersion: versionOf(current) };
      const path = pathOf(address.mapping, address.namespace);
      for await (const { type, object } of watchEvents(address.client, path, query, signal)) {
        current = type === 'DELETED' ? undefined : object;
        yield current;
      }
    }
    await sleep(reconnectMs, undefined, { signal });
    current = await retrying(() => findObject(address, signal), signal);
    yield current;
  }
}

/** The objects that a label selector finds in a namespace, now and after each change. */
export async function* observeList(
  client: KubeClient,
  mapping: ResourceMapping,
  namespace: string | undefined,
  labelSelector: string,
  signal: AbortSignal,
): AsyncGenerator<readonly KubeObject[]> {
  for (;;) {
    const list = await retrying(() => listObjects(client, mapping, namespace, labelSelector, signal), signal);
    const items = new Map(
      listAt(list, 'items')
        .filter(isMap)
        .map((item) => [nameOf(item), item]),
    );
    yield [...items.values()];
    const query = { labelSelector, resourceVersion: versionOf(list) };
    for await (const { type, object } of watchEvents(client, pathOf(mapping, namespace), query, signal)) {
      if (type === 'DELETED') items.delete(nameOf(object));
      else items.set(nameOf(object), object);
      yield [...items.values()];
    }
    await sleep(reconnectMs, undefined, { signal });
  }
}
