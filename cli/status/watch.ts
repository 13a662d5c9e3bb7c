import { setTimeout as sleep } from 'node:timers/promises';

/** Where a status that goes on is shown. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface WatchPlan<T> {
  readonly look: () => Promise<T>;
  /** A screenful of text, or one line of JSON. */
  readonly render: (found: T) => string;
  readonly json: boolean;
  readonly screen: Screen;
  /** Aborted when the user has seen enough. */
  readonly signal: AbortSignal;
  readonly intervalMs?: number;
}

const alternateScreen = '\x1b[?1049h\x1b[?25l';
const mainScreen = '\x1b[?25h\x1b[?1049l';
const top = '\x1b[H';
const clearLine = '\x1b[K';
const clearBelow = '\x1b[J';

/** Over what was there, so that nothing flickers. */
const frame = (text: string, rows: number): string =>
  `${top}${text
    .split('\n')
    .slice(0, rows - 1)
    .map((line) => `${line}${clearLine}\n`)
    .join('')}${clearBelow}`;

/**
 * Shows how something is until `signal`: on a terminal redrawn in place; elsewhere, and as JSON, a block or a line more
 * whenever it is no more as it was.
 */
export const watch = async <T>({
  look,
  render,
  json,
  screen,
  signal,
  intervalMs = 1_000,
}: WatchPlan<T>): Promise<void> => {
  const redraws = screen.isTTY === true && !json;
  let last: string | undefined;
  if (redraws) screen.write(alternateScreen);
  try {
    while (!signal.aborted) {
      const found = await look();
      const state = JSON.stringify(found);
      if (redraws) screen.write(frame(render(found), screen.rows ?? 24));
      else if (state !== last) screen.write(`${last !== undefined && !json ? '\n' : ''}${render(found)}\n`);
      last = state;
      await sleep(intervalMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    if (redraws) screen.write(mainScreen);
  }
};
