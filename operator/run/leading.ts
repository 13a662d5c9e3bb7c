import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../common/failure.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { type LeasePlace, leaseAt } from '../lease.ts';

export interface LeadingOptions extends LeasePlace {
  readonly client: KubeClient;
  /** Who holds it: the pod's name, so that a container that was killed goes on at once. */
  readonly identity: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const durationSeconds = 15;
const renewEveryMs = 5_000;
const tryEveryMs = 1_000;

/**
 * Does `work` while it holds a lease that only one can hold. The signal that `work` gets aborts where `signal` does, and where
 * the lease could not be renewed in time.
 * @throws where the lease is lost
 */
export const whileLeading = async (
  options: LeadingOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const { client, identity, log, signal } = options;
  const lease = leaseAt(client, options, { identity, durationSeconds });
  const tryAcquire = (): Promise<boolean> =>
    lease.acquire().catch((error: unknown) => {
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
  await lease.release().catch((error: unknown) => {
    log.debug({ reason: messageOf(error) }, 'could not give the lease up; it runs out');
  });
};
