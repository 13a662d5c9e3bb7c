import { Failure, messageOf } from '../../common/failure.ts';
import { ApiError, isApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { type Namespace, type Namespaces, namespacePath } from '../namespaces/follow.ts';
import { type Annotations, annotationsOf, lowestFree, rangeAnnotations, takenBlocks } from './ranges.ts';

export interface Allocator {
  /**
   * The annotations of a namespace that has its range, which it is given where it has none.
   * @param dryRun writes nothing: tells what it would get
   * @throws Failure where all blocks are taken; an ApiError; where `signal` aborts first
   */
  annotationsFor(namespace: string, dryRun: boolean, signal: AbortSignal): Promise<Annotations>;
  /** Gives every namespace its range, until `signal`. */
  run(signal: AbortSignal): Promise<void>;
}

export interface AllocatorOptions {
  readonly namespaces: Namespaces;
  readonly client: KubeClient;
  readonly log: Log;
}

const attempts = 5;
/** Within it the watch tells of what we wrote. */
const pendingMs = 60_000;
const pauseMs = 1_000;

const hasRange = ({ metadata }: Namespace): boolean => metadata.annotations?.[rangeAnnotations.uids] !== undefined;

/** One turn after the other, in the order in which they were asked for. */
const createTurns = () => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
};

const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const give = (): void => reject(new Error('no range in time'));
    if (signal.aborted) give();
    signal.addEventListener('abort', give, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });

/** Hands out ranges as OpenShift's namespace-security-allocation controller does: the lowest free block, free again with its namespace. */
export const createAllocator = ({ namespaces, client, log }: AllocatorOptions): Allocator => {
  const inTurn = createTurns();
  /** What the watch has not told of yet: block by namespace. */
  const pending = new Map<string, { readonly block: number; readonly until: number }>();
  const underWay = new Map<string, Promise<Annotations>>();

  const taken = (): ReadonlySet<number> => {
    const all = [...namespaces.all()];
    for (const [name, { until }] of pending) {
      const seen = all.some((one) => one.metadata.name === name && hasRange(one));
      if (seen || performance.now() > until) pending.delete(name);
    }
    const told = takenBlocks(all.map(({ metadata }) => metadata.annotations ?? {}));
    return new Set([...told, ...[...pending.values()].map(({ block }) => block)]);
  };

  const write = async ({ metadata }: Namespace, annotations: Annotations): Promise<Namespace> =>
    client.send({
      method: 'PATCH',
      path: namespacePath(metadata.name),
      query: { fieldManager: 'admission-webhook' },
      // With its version: whoever annotated it in the meantime was first.
      body: { metadata: { resourceVersion: metadata.resourceVersion, annotations } },
      contentType: 'application/merge-patch+json',
    });

  const allocate = async (name: string, dryRun: boolean): Promise<Annotations> => {
    for (let attempt = 1; ; attempt++) {
      // Of what was just written the watch may not have told.
      const namespace =
        attempt === 1 && !pending.has(name)
          ? await namespaces.get(name)
          : await client.send<Namespace>({ method: 'GET', path: namespacePath(name) });
      const present = namespace.metadata.annotations ?? {};
      if (hasRange(namespace)) return present;
      const block = lowestFree(taken());
      if (block === undefined) {
        const next = 'delete namespaces, or annotate this one yourself';
        throw new Failure({ tried: `give namespace ${name} a range of UIDs`, got: 'all are taken', next });
      }
      const annotations = annotationsOf(block, present);
      if (dryRun) return { ...present, ...annotations };
      pending.set(name, { block, until: performance.now() + pendingMs });
      try {
        const written = await write(namespace, annotations);
        return written.metadata.annotations ?? annotations;
      } catch (error) {
        // Without an answer it may have been written.
        if (error instanceof ApiError) pending.delete(name);
        if (!isApiError(error, 409) || attempt === attempts) throw error;
      }
    }
  };

  const ensure = (name: string): Promise<Annotations> => {
    const known = underWay.get(name);
    if (known !== undefined) return known;
    const work = inTurn(() => allocate(name, false)).finally(() => underWay.delete(name));
    underWay.set(name, work);
    // Whoever waits for it may have given up.
    work.catch(() => {});
    return work;
  };

  const next = (): Namespace | undefined => {
    for (const one of namespaces.all()) {
      if (!hasRange(one) && one.metadata.deletionTimestamp === undefined && !pending.has(one.metadata.name)) return one;
    }
    return undefined;
  };

  return {
    annotationsFor: async (name, dryRun, signal) => {
      await namespaces.known(signal);
      const namespace = await namespaces.get(name, signal);
      if (hasRange(namespace)) return namespace.metadata.annotations ?? {};
      return orAborted(dryRun ? inTurn(() => allocate(name, true)) : ensure(name), signal);
    },
    run: (signal) =>
      new Promise((resolve) => {
        let running = false;
        let failing = false;
        const sweep = async (): Promise<void> => {
          if (running || signal.aborted) return;
          running = true;
          try {
            // One at a time: a pod that comes meanwhile is next.
            for (let one = next(); one !== undefined && !signal.aborted; one = next()) {
              const { name } = one.metadata;
              await ensure(name);
            }
            failing = false;
          } catch (error) {
            // One that was deleted is tried no more once the watch has told.
            if (!failing && !isApiError(error, 404))
              log.warn({ reason: messageOf(error) }, 'could not give a namespace its range; tries again');
            failing = true;
            setTimeout(() => void sweep(), pauseMs).unref();
          } finally {
            running = false;
          }
        };
        namespaces.onChange(() => void sweep());
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
};
