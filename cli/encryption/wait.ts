import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, messageOf } from '../../common/failure.ts';
import type { Progress } from '../../common/progress.ts';

/** A line about how far something is. */
export interface Milestone {
  readonly text: string;
  /** Whether the line counts on, and need not be told each time. */
  readonly counting?: boolean;
}

/** What a look at the cluster came to. */
export interface Look {
  readonly done: boolean;
  /** What is so by now; each is told once. */
  readonly told: readonly Milestone[];
  /** Why it is not done, for whom it takes too long. */
  readonly obstacle: string;
}

export interface WaitPlan {
  /** The rest of 'could not …'. */
  readonly tried: string;
  readonly timeoutMs: number;
  /** Where to look when it does not come about. */
  readonly next: string;
  /** What becomes of it when the user does not wait any longer. */
  readonly goesOn: string;
  readonly progress: Progress;
  /** Aborted when the user stops waiting. */
  readonly signal: AbortSignal;
  readonly intervalMs?: number;
  /** How long nothing may have been told before it tells what stands in the way. */
  readonly quietMs?: number;
}

const countEveryMs = 2_000;

/**
 * Looks again and again until it is done, and tells what has changed. A look that fails counts as not done: API servers
 * restart while they take over a configuration.
 * @throws Failure after `timeoutMs` or on `signal`
 */
export const waitUntil = async (look: () => Promise<Look>, plan: WaitPlan): Promise<void> => {
  const { progress, signal, intervalMs = 250, quietMs = 15_000 } = plan;
  const deadline = performance.now() + plan.timeoutMs;
  const told = new Set<string>();
  let countAgainAt = 0;
  let lastToldAt = performance.now();
  const tell = ({ text, counting = false }: Milestone): void => {
    if (told.has(text) || (counting && performance.now() < countAgainAt)) return;
    if (counting) countAgainAt = performance.now() + countEveryMs;
    told.add(text);
    lastToldAt = performance.now();
    progress.note(text);
  };
  for (let obstacle = 'nothing yet'; ; ) {
    try {
      const seen = await look();
      seen.told.forEach(tell);
      if (seen.done) return;
      obstacle = seen.obstacle;
    } catch (error) {
      obstacle = messageOf(error);
    }
    if (performance.now() - lastToldAt >= quietMs) tell({ text: `not yet: ${obstacle}` });
    if (performance.now() >= deadline) throw new Failure({ tried: plan.tried, got: obstacle, next: plan.next });
    try {
      await sleep(intervalMs, undefined, { signal });
    } catch {
      throw new Failure({ tried: plan.tried, got: `interrupted; ${plan.goesOn}`, next: plan.next });
    }
  }
};
