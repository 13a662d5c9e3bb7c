import type { KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { watchList } from '../../common/watchList.ts';

export interface Namespace {
  readonly metadata: {
    readonly name: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** All namespaces, as the API server told of them last. */
export interface Namespaces {
  all(): Iterable<Namespace>;
  /** As it was last told of, else as the API server has it. @throws ApiError 404 where there is none */
  get(name: string, signal?: AbortSignal): Promise<Namespace>;
  /** Resolves once all are known. @throws where `signal` aborts before */
  known(signal: AbortSignal): Promise<void>;
  /** `listener` is called at each change, and at once where they are known already. */
  onChange(listener: () => void): void;
}

export const namespacePath = (name: string): string => `/api/v1/namespaces/${name}`;

/** Follows them until `signal`. */
export const followNamespaces = (client: KubeClient, log: Log, signal: AbortSignal): Namespaces => {
  let items: ReadonlyMap<string, Namespace> | undefined;
  const listeners: (() => void)[] = [];
  const changed = (list: readonly Namespace[]): void => {
    items = new Map(list.map((item) => [item.metadata.name, item]));
    for (const listener of listeners) listener();
  };
  void watchList<Namespace>({
    clients: [client],
    path: '/api/v1/namespaces',
    changed,
    failed: (reason) => log.warn({ reason }, 'could not follow namespaces; goes on with those that are known'),
    signal,
  });
  const onChange = (listener: () => void): void => {
    listeners.push(listener);
    if (items !== undefined) listener();
  };
  return {
    all: () => items?.values() ?? [],
    get: async (name, asked) =>
      items?.get(name) ?? client.send({ method: 'GET', path: namespacePath(name), ...(asked && { signal: asked }) }),
    known: (asked) =>
      new Promise((resolve, reject) => {
        if (items !== undefined) return resolve();
        listeners.push(resolve);
        const give = () => reject(new Error('namespaces are not known yet'));
        if (asked.aborted) give();
        else asked.addEventListener('abort', give, { once: true });
      }),
    onChange,
  };
};
