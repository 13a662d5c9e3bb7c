import { admissionWebhookName } from '../../common/admissionWebhook.ts';
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
/** Namespaces that are written at once; those of pods that wait come on top. */
const workers = 8;

const hasRange = ({ metadata }: Namespace): boolean => metadata.annotations?.[rangeAnnotations.uids] !== undefined;

const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const give = (): void => reject(new Error('no range in time'));
    if (signal.aborted) give();
    signal.addEventListener('abort', give, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });

/** Hands out ranges as OpenShift's namespace-security-allocation controller does: the lowest free block, free again with its namespace. */
export const createAllocator = ({ namespaces, client, log }: AllocatorOptions): Allocator => {
  /** Read once: a thousand namespaces are gone through for each one that is new. */
  const known = new WeakMap<Namespace, ReadonlySet<number>>();
  /** What the watch has not told of yet, by namespace. `written`: as far as is known, where nobody answered. */
  const pending = new Map<string, { readonly block: number; readonly until: number; written?: true }>();
  const underWay = new Map<string, Promise<Annotations>>();

  const blocksOf = (namespace: Namespace): ReadonlySet<number> => {
    const blocks = known.get(namespace) ?? takenBlocks([namespace.metadata.annotations ?? {}]);
    known.set(namespace, blocks);
    return blocks;
  };

  const taken = (): ReadonlySet<number> => {
    const blocks = new Set<number>();
    for (const one of namespaces.all()) {
      if (hasRange(one)) pending.delete(one.metadata.name);
      for (const block of blocksOf(one)) blocks.add(block);
    }
    for (const [name, { block, until }] of pending) {
      if (performance.now() > until) pending.delete(name);
      else blocks.add(block);
    }
    return blocks;
  };

  const write = async ({ metadata }: Namespace, annotations: Annotations): Promise<Namespace> =>
    client.send({
      method: 'PATCH',
      path: namespacePath(metadata.name),
      query: { fieldManager: admissionWebhookName },
      // With its version: whoever annotated it in the meantime was first.
      body: { metadata: { resourceVersion: metadata.resourceVersion, annotations } },
      contentType: 'application/merge-patch+json',
    });

  const nowWritten = (name: string): void => {
    const reserved = pending.get(name);
    if (reserved !== undefined) reserved.written = true;
  };

  const allocate = async (name: string, dryRun: boolean): Promise<Annotations> => {
    for (let attempt = 1; ; attempt++) {
      // Of what was just written the watch may not have told.
      const namespace =
        attempt === 1 && !pending.has(name)
          ? await namespaces.get(name)
          : await client.send<Namespace>({ method: 'GET', path: namespacePath(name) });
      const present = namespace.metadata.annotations ?? {};
      if (hasRange(namespace)) {
        nowWritten(name);
        return present;
      }
      const block = lowestFree(taken());
      if (block === undefined) {
        const next = 'delete namespaces, or annotate this one yourself';
        throw new Failure({ tried: `give namespace ${name} a range of UIDs`, got: 'all are taken', next });
      }
      const annotations = annotationsOf(block, present);
      if (dryRun) return { ...present, ...annotations };
      // Nothing was waited for since the block was chosen: nobody else has it.
      pending.set(name, { block, until: performance.now() + pendingMs });
      try {
        const written = await write(namespace, annotations);
        nowWritten(name);
        return written.metadata.annotations ?? annotations;
      } catch (error) {
        // Without an answer it may have been written.
        if (error instanceof ApiError && error.code < 500) pending.delete(name);
        if (!isApiError(error, 409) || attempt === attempts) throw error;
      }
    }
  };

  const ensure = (name: string): Promise<Annotations> => {
    const begun = underWay.get(name);
    if (begun !== undefined) return begun;
    const work = allocate(name, false).finally(() => underWay.delete(name));
    underWay.set(name, work);
    // Whoever waits for it may have given up.
    work.catch(() => {});
    return work;
  };

  const next = (): Namespace | undefined => {
    for (const one of namespaces.all()) {
      const { name, deletionTimestamp } = one.metadata;
      const isSeenTo = hasRange(one) || pending.get(name)?.written || underWay.has(name);
      if (!isSeenTo && deletionTimestamp === undefined) return one;
    }
    return undefined;
  };

  return {
    annotationsFor: async (name, dryRun, signal) => {
      await namespaces.known(signal);
      const namespace = await namespaces.get(name, signal);
      if (hasRange(namespace)) return namespace.metadata.annotations ?? {};
      return orAborted(dryRun ? allocate(name, true) : ensure(name), signal);
    },
    run: (signal) =>
      new Promise((resolve) => {
        let running = false;
        let failing = false;
        const work = async (): Promise<void> => {
          for (let one = next(); one !== undefined && !signal.aborted; one = next()) await ensure(one.metadata.name);
        };
        const sweep = async (): Promise<void> => {
          if (running || signal.aborted) return;
          running = true;
          try {
            await Promise.all(Array.from({ length: workers }, work));
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
