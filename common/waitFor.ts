import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, messageOf } from './failure.ts';

export interface WaitOptions {
  /** What is waited for, as the rest of 'could not see': 'node local-control-plane Ready'. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  readonly next: string;
}

/**
 * Asks `probe` until it answers something other than undefined. A probe that throws counts as 'not yet'; its last
 * error is part of the failure.
 * @throws Failure after `timeoutMs`.
 */
export const waitFor = async <T>(probe: () => Promise<T | undefined>, options: WaitOptions): Promise<T> => {
  const deadline = performance.now() + options.timeoutMs;
  let last = 'nothing yet';
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined) return found;
    } catch (error) {
      last = messageOf(error);
    }
    if (performance.now() >= deadline) {
      throw new Failure({
        tried: `see ${options.what} within ${options.timeoutMs / 1000} s`,
        got: last,
        next: options.next,
      });
    }
    await sleep(options.intervalMs ?? 100);
  }
};
