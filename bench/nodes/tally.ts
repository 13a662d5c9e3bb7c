import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, messageOf } from '../../common/failure.ts';
import type { KubeClient } from '../../common/kubeClient.ts';

interface Counted {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

interface List {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Counted[];
}

interface TallyOptions {
  /** Of a collection: `/api/v1/nodes`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly counts: (object: Counted) => boolean;
}

/** Counts the objects of a collection of which something is true, by a watch: asking again and again would be load. */
export interface Tally {
  readonly count: number;
  /**
   * Resolves at the moment when the count is this.
   * @returns milliseconds, of `performance.now()`
   * @throws Failure after `timeoutMs`, whose reason names the last failure
   */
  reaches(count: number, timeoutMs: number): Promise<number>;
  stop(): void;
}

const quietMs = 120_000;

/** Of failures in a row, before the count is given up. */
const longestRow = 5;

export const startTally = async (client: KubeClient, { path, query = {}, counts }: TallyOptions): Promise<Tally> => {
  const end = new AbortController();
  const names = new Set<string>();
  let changed = Promise.withResolvers<void>();
  const tell = (): void => {
    const { resolve } = changed;
    changed = Promise.withResolvers();
    resolve();
  };
  const look = async (): Promise<string> => {
    const { items, metadata } = await client.send<List>({ method: 'GET', path, query });
    names.clear();
    for (const item of items.filter(counts)) names.add(item.metadata.name);
    tell();
    return metadata.resourceVersion;
  };
  const follow = async (resourceVersion: string): Promise<void> => {
    for await (const line of client.lines(path, { ...query, watch: 'true', resourceVersion }, quietMs, end.signal)) {
      const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: Counted };
      if (type === 'ERROR') return;
      if (type !== 'DELETED' && counts(object)) names.add(object.metadata.name);
      else names.delete(object.metadata.name);
      tell();
    }
  };
  let ended: string | undefined;
  /** The server ends the watch of whoever is slow, as this process may be for a moment. */
  const keepFollowing = async (first: string): Promise<void> => {
    let version = first;
    for (let row = 0; !end.signal.aborted && row < longestRow; row++) {
      try {
        await follow(version);
        version = await look();
        row = -1;
      } catch (error) {
        ended = messageOf(error);
        await sleep(200);
      }
    }
  };
  keepFollowing(await look());
  return {
    get count() {
      return names.size;
    },
    reaches: async (count, timeoutMs) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        tell();
      }, timeoutMs);
      try {
        while (names.size !== count) {
          if (late) {
            throw new Failure({
              tried: `see ${count} objects of ${path} as they should be within ${timeoutMs / 1000} s`,
              got: `there are ${names.size}${ended === undefined ? '' : `; ${ended}`}`,
              next: 'look at the logs of what should make them so',
            });
          }
          await changed.promise;
        }
        return performance.now();
      } finally {
        clearTimeout(timer);
      }
    },
    stop: () => end.abort(),
  };
};

/** Nodes with this label that are Ready. */
export const tallyReadyNodes = (client: KubeClient, labelSelector: string): Promise<Tally> =>
  startTally(client, {
    path: '/api/v1/nodes',
    query: { labelSelector },
    counts: ({ status }) =>
      status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false,
  });

export const tallyRunningPods = (client: KubeClient, namespace: string): Promise<Tally> =>
  startTally(client, {
    path: `/api/v1/namespaces/${namespace}/pods`,
    counts: ({ status }) => status?.phase === 'Running',
  });

/** Leases of nodes whose name begins so: somebody tends those nodes. */
export const tallyLeases = (client: KubeClient, prefix: string): Promise<Tally> =>
  startTally(client, {
    path: '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases',
    counts: ({ metadata }) => metadata.name.startsWith(prefix),
  });
