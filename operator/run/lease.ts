import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../common/failure.ts';
import { ApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';

export interface LeaseOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Who holds it: the pod's name, so that a container that was killed goes on at once. */
  readonly identity: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

interface Lease {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

const durationSeconds = 15;
const renewEveryMs = 5_000;
const tryEveryMs = 1_000;

/** MicroTime, as the API server wants it. */
const microTime = (now: number): string => new Date(now).toISOString().replace('Z', '000Z');

/** Whether another than `identity` holds a lease that it has renewed in time. */
export const isTaken = ({ spec }: Lease, identity: string, now: number): boolean => {
  if (!spec?.holderIdentity || spec.holderIdentity === identity) return false;
  return now < Date.parse(spec.renewTime ?? '') + (spec.leaseDurationSeconds ?? durationSeconds) * 1_000;
};

/** The lease as `identity` has it from now on. */
export const heldBy = ({ metadata, spec }: Lease, identity: string, now: number): Lease => {
  const isNew = spec?.holderIdentity !== identity;
  return {
    metadata,
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: durationSeconds,
      acquireTime: isNew ? microTime(now) : (spec?.acquireTime ?? microTime(now)),
      renewTime: microTime(now),
      leaseTransitions: (spec?.leaseTransitions ?? 0) + (isNew && spec !== undefined ? 1 : 0),
    },
  };
};

/**
 * Does `work` while it holds a lease that only one can hold. The signal that `work` gets aborts where `signal` does, and where
 * the lease could not be renewed in time.
 * @throws where the lease is lost
 */
export const whileLeading = async (
  options: LeaseOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const { client, namespace, name, identity, log, signal } = options;
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const path = `${collection}/${name}`;

  const read = async (): Promise<Lease | undefined> => {
    try {
      return await client.send<Lease>({ method: 'GET', path });
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  };
  /** @returns whether it is ours now. */
  const acquire = async (): Promise<boolean> => {
    const lease = await read();
    if (lease === undefined) {
      await client.send({
        method: 'POST',
        path: collection,
        body: heldBy({ metadata: { name } }, identity, Date.now()),
      });
      return true;
    }
    if (isTaken(lease, identity, Date.now())) return false;
    await client.send({ method: 'PUT', path, body: heldBy(lease, identity, Date.now()) });
    return true;
  };
  const tryAcquire = (): Promise<boolean> =>
    acquire().catch((error: unknown) => {
      log.debug({ reason: messageOf(error) }, 'could not take the lease');
      return false;
    });
  const pause = (ms: number, until: AbortSignal): Promise<void> =>
    sleep(ms, undefined, { signal: until }).catch(() => {});

  while (!signal.aborted && !(await tryAcquire())) await pause(tryEveryMs, signal);
  if (signal.aborted) return;
  log.info({ identity }, 'leading');

  const lost = new AbortController();
  const done = new AbortController();
  const renew = async (): Promise<void> => {
    let renewedAt = performance.now();
    while (!done.signal.aborted) {
      await pause(renewEveryMs, done.signal);
      if (done.signal.aborted) return;
      while (!(await tryAcquire())) {
        if (performance.now() - renewedAt > (durationSeconds - 2) * 1_000) {
          lost.abort(new Error('the lease could not be renewed'));
          return;
        }
        await pause(tryEveryMs, done.signal);
      }
      renewedAt = performance.now();
    }
  };
  const renewing = renew();
  try {
    await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    done.abort();
    await renewing;
  }
  if (lost.signal.aborted) throw lost.signal.reason;
  const lease = await read().catch(() => undefined);
  if (lease?.spec?.holderIdentity !== identity) return;
  const released = { ...lease, spec: { ...lease.spec, holderIdentity: '' } };
  await client.send({ method: 'PUT', path, body: released }).catch(() => {});
};
