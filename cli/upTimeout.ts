import { setTimeout as sleep } from 'node:timers/promises';
import { EndingFailure, Failure, messageOf } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import type { Stack } from './stack.ts';
import { stackTroubles } from './stackTroubles.ts';
import { durationOption } from './values.ts';

/** How long `up` may take, for the parts of it. */
export interface UpTime {
  readonly progress: Progress;
  /** Aborted when the time is nearly over: work that has to end in an orderly way does so then. */
  readonly signal: AbortSignal;
  /** Names work that ends soon after {@link signal}, and is waited for then. */
  ending<T>(work: Promise<T>): Promise<T>;
}

/** Of a timeout, what the engine and its children get to end in. Milliseconds. */
export const reserveOf = (timeoutMs: number): number => Math.min(10_000, timeoutMs / 4);

interface Underway {
  readonly progress: Progress;
  /** The phases that have not ended. */
  phases(): readonly string[];
  /** What was told last. */
  last(): string;
}

/** Progress that knows what is being worked at. */
export const remembering = (progress: Progress): Underway => {
  const open = new Set<string>();
  let last = 'its first steps';
  return {
    phases: () => [...open],
    last: () => last,
    progress: {
      note: (text) => {
        last = text.trim();
        progress.note(text);
      },
      phase: async (name, work) => {
        open.add(name);
        try {
          return await progress.phase(name, work);
        } finally {
          open.delete(name);
          last = `what follows '${name}'`;
        }
      },
    },
  };
};

/** What is told of a command whose time is over. */
export const outOfTime = (
  stack: string,
  timeout: string,
  waitedFor: readonly string[],
  causes: readonly string[],
): EndingFailure =>
  new EndingFailure({
    tried: `bring up stack ${stack} within ${timeout}`,
    got: [waitedFor.join('\n'), ...causes].join('\n'),
    next: `mend that and run 'understudy up ${stack}' again: it goes on where this ended; 'understudy status ${stack}' shows how the stack is`,
  });

/** Of several waits the first that fails ends the command: the others would hold it up. */
export const leavingTheRest = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw error instanceof Failure ? new EndingFailure(error.parts) : error;
  }
};

/** What work that was told to end has thrown, in its own words. */
const saidAtTheEnd = (settled: readonly PromiseSettledResult<unknown>[]): readonly string[] =>
  settled.flatMap((result) => {
    // What had not begun says nothing.
    if (result.status === 'fulfilled' || Object(result.reason).name === 'AbortError') return [];
    return result.reason instanceof Failure ? result.reason.parts.got : messageOf(result.reason);
  });

/**
 * Runs `up` for as long as it may take. Shortly before the time is over the engine is told to end, and whatever else
 * still waits is left behind: the process is to end with the failure, and the next `up` goes on.
 * @param timeout a duration as Go writes it; no end where left out
 * @param begin when the command began, by `performance.now()`
 * @throws EndingFailure that says what was waited for and what the cluster has to say about it
 */
export const withinTime = async <T>(
  stack: Stack,
  timeout: string | undefined,
  progress: Progress,
  work: (time: UpTime) => Promise<T>,
  begin = performance.now(),
): Promise<T> => {
  const controller = new AbortController();
  const { signal } = controller;
  if (timeout === undefined) return work({ progress, signal, ending: (ending) => ending });
  const timeoutMs = durationOption('--timeout', timeout);
  const reserveMs = reserveOf(timeoutMs);
  const underway = remembering(progress);
  const endings: Promise<unknown>[] = [];
  const over = new AbortController();
  const leftMs = begin + timeoutMs - reserveMs - performance.now();
  const isOver = sleep(Math.max(0, leftMs), undefined, { signal: over.signal }).then(async (): Promise<never> => {
    const [phases, last] = [underway.phases(), underway.last()];
    progress.note('the time is nearly over: ending');
    controller.abort();
    const ended = Promise.allSettled(endings).then(saidAtTheEnd);
    // Less where this process came to it late.
    const inTime = sleep(Math.max(0, begin + timeoutMs - performance.now()));
    const [said, causes] = await Promise.all([
      Promise.race([ended, inTime.then((): readonly string[] => [])]),
      Promise.race([stackTroubles(stack), inTime.then((): readonly string[] => [])]),
    ]);
    const waitedFor = phases.map((phase) => `it was still at: ${phase}`);
    const known = [...waitedFor, ...said];
    throw outOfTime(stack.name, timeout, known.length > 0 ? known : [`it was still at: ${last}`], causes);
  });
  const doing = work({
    progress: underway.progress,
    signal,
    ending: (ending) => {
      endings.push(ending);
      return ending;
    },
  });
  try {
    return await Promise.race([
      isOver,
      // What ends because it was told to is part of the failure to come.
      doing.catch((error: unknown) => {
        if (signal.aborted) return isOver;
        throw error;
      }),
    ]);
  } finally {
    over.abort();
  }
};
