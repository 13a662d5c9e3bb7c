import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from './failure.ts';
import type { KubeClient } from './kubeClient.ts';

/** What every object of the API server has. */
export interface ApiObject {
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly resourceVersion?: string };
}

export interface WatchListOptions<T> {
  /** Asked in this order: the next one where one fails. */
  readonly clients: readonly KubeClient[];
  /** Of a collection: `/api/v1/nodes`. */
  readonly path: string;
  /** `fieldSelector`, `labelSelector`. */
  readonly query?: Readonly<Record<string, string>>;
  /** What is kept of each object, of thousands of which most is never looked at; all of it where left out. */
  readonly keep?: (item: T) => T;
  /** All that there is, each time that anything has changed, and at first. */
  readonly changed: (items: readonly T[]) => void;
  /** What there was last stays. Called once for a row of failures. */
  readonly failed?: (message: string, error: unknown) => void;
  readonly signal: AbortSignal;
}

interface ListAnswer<T> {
  readonly items?: readonly T[];
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

const firstPauseMs = 50;
const longestPauseMs = 1_000;
/** Bookmarks come once a minute, so silence means that the other end is gone. */
const quietMs = 90_000;

const keyOf = ({ metadata }: ApiObject): string => `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;

/** Objects asked for at a time: an API server that has much to do may not have thousands of them ready in time. */
const pageSize = '500';

/** All objects as they were at one time, by their keys, and the version of the collection at that time. */
const listAll = async <T extends ApiObject>(client: KubeClient, options: WatchListOptions<T>) => {
  const { path, query = {}, keep = (item: T): T => item } = options;
  const items = new Map<string, T>();
  let version = '';
  let next: string | undefined;
  do {
    const page = { ...query, limit: pageSize, ...(next && { continue: next }) };
    const answer = await client.send<ListAnswer<T>>({ method: 'GET', path, query: page });
    for (const item of answer.items ?? []) items.set(keyOf(item), keep(item));
    version = answer.metadata?.resourceVersion ?? '';
    next = answer.metadata?.continue;
  } while (next);
  return { items, version };
};

/** Lists, then follows the changes until the watch ends for whatever reason. */
const follow = async <T extends ApiObject>(options: WatchListOptions<T>, client: KubeClient, told: () => void) => {
  const { path, query = {}, keep = (item: T): T => item, changed, signal } = options;
  const { items, version } = await listAll(client, options);
  changed([...items.values()]);
  told();
  const watch = {
    ...query,
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
  };
  for await (const line of client.lines(path, watch, quietMs, signal)) {
    const { type, object } = JSON.parse(line) as WatchEvent<T>;
    if (type === 'ERROR') return;
    if (type === 'BOOKMARK') continue;
    if (type === 'DELETED') items.delete(keyOf(object));
    else items.set(keyOf(object), keep(object));
    changed([...items.values()]);
  }
};

/** Tells of all objects of a collection and of every change, through failures and restarts, until `signal`. */
export const watchList = async <T extends ApiObject>(options: WatchListOptions<T>): Promise<void> => {
  const { clients, signal } = options;
  let pauseMs = firstPauseMs;
  let failing = false;
  for (let turn = 0; !signal.aborted; turn++) {
    const client = clients[turn % clients.length];
    if (client === undefined) return;
    let toldAt: number | undefined;
    try {
      await follow(options, client, () => {
        toldAt = performance.now();
        failing = false;
      });
    } catch (error) {
      if (!failing && !signal.aborted) options.failed?.(messageOf(error), error);
      failing = true;
    }
    if (toldAt !== undefined) {
      // The one that answered is asked first again.
      turn -= 1;
      if (performance.now() - toldAt > longestPauseMs) pauseMs = firstPauseMs;
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
};
