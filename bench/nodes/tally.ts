import { Failure } from '../../common/failure.ts';
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

/** Counts the objects of a collection of which something is true, by one list and one watch: asking again and again would be load. */
export interface Tally {
  readonly count: number;
  /**
   * Resolves at the moment when the count is this.
   * @returns milliseconds, of `performance.now()`
   * @throws Failure after `timeoutMs`, or when the watch ends
   */
  reaches(count: number, timeoutMs: number): Promise<number>;
  stop(): void;
}

const quietMs = 120_000;

export const startTally = async (client: KubeClient, { path, query = {}, counts }: TallyOptions): Promise<Tally> => {
  const end = new AbortController();
  const list = await client.send<List>({ method: 'GET', path, query });
  const names = new Set(list.items.filter(counts).map(({ metadata }) => metadata.name));
  let changed = Promise.withResolvers<void>();
  let ended: string | undefined;
  const follow = async (): Promise<void> => {
    const watch = { ...query, watch: 'true', resourceVersion: list.metadata.resourceVersion };
    for await (const line of client.lines(path, watch, quietMs, end.signal)) {
      const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: Counted };
      if (type === 'ERROR') throw new Error(line);
      if (type !== 'DELETED' && counts(object)) names.add(object.metadata.name);
      else names.delete(object.metadata.name);
      const { resolve } = changed;
      changed = Promise.withResolvers();
      resolve();
    }
  };
  follow()
    .then(() => 'the server ended the watch', String)
    .then((reason) => {
      ended = reason;
      changed.resolve();
    });
  return {
    get count() {
      return names.size;
    },
    reaches: async (count, timeoutMs) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        changed.resolve();
      }, timeoutMs);
      try {
        while (names.size !== count) {
          if (late || ended !== undefined) {
            throw new Failure({
              tried: `see ${count} objects of ${path} as they should be within ${timeoutMs / 1000} s`,
              got: ended ?? `there are ${names.size}`,
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
