import { messageOf } from '../../common/failure.ts';
import { boardOf, boardSince, type Finding, type StackBoard, withFinding } from './board.ts';
import type { HistoryLimits } from './history.ts';

/** Where statuses come from. */
export interface StackSource {
  /** Names of the stacks to show now. */
  list(): Promise<readonly string[]>;
  look(name: string): Promise<Finding>;
}

/** All that the page shows. Times are milliseconds since the epoch. */
export interface View {
  readonly now: number;
  /** When the dashboard began to look. */
  readonly began: number;
  /** How long ago the history may begin. */
  readonly keepMs: number;
  readonly stacks: readonly StackBoard[];
}

/** What is known of all stacks, as it changes. */
export interface Feed {
  /** @param since the time of the last view that its reader had; 0 for all */
  view(since: number): View;
  /** Tells of each look. @returns how to be told no more */
  subscribe(listener: () => void): () => void;
}

const intervalMs = 1_000;

/** An API server that does not answer is given up after 10 s. */
export const historyLimits: HistoryLimits = { keepMs: 3_600_000, longestGapMs: 15_000, mostSegments: 1_000 };

/** Looks at all stacks each second, at each by itself: one that does not answer holds no other up. Ends with `signal`. */
export const watchStacks = (source: StackSource, signal: AbortSignal): Feed => {
  const began = Date.now();
  const boards = new Map<string, StackBoard>();
  const busy = new Set<string>();
  const listeners = new Set<() => void>();
  const told = (): void => {
    for (const listener of listeners) listener();
  };
  const look = async (name: string): Promise<void> => {
    busy.add(name);
    const finding = await source
      .look(name)
      .catch((error: unknown): Finding => ({ kind: 'failed', problem: messageOf(error) }));
    busy.delete(name);
    const board = boards.get(name);
    if (board === undefined || signal.aborted) return;
    boards.set(name, withFinding(board, finding, Date.now(), historyLimits));
    told();
  };
  const lookAtAll = async (): Promise<void> => {
    // What cannot be listed for a moment is shown as it was.
    const names = await source.list().catch(() => [...boards.keys()]);
    const gone = [...boards.keys()].filter((name) => !names.includes(name));
    for (const name of gone) boards.delete(name);
    for (const name of names) if (!boards.has(name)) boards.set(name, boardOf(name));
    if (gone.length > 0) told();
    await Promise.all(names.filter((name) => !busy.has(name)).map(look));
  };
  const timer = setInterval(() => void lookAtAll(), intervalMs);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  void lookAtAll();
  return {
    view: (since) => ({
      now: Date.now(),
      began,
      keepMs: historyLimits.keepMs,
      stacks: [...boards.values()]
        .map((board) => boardSince(board, since))
        .sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true })),
    }),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
