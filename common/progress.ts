import { messageOf } from './failure.ts';

/** Where the lines that tell a person how far long work is go. */
export interface Progress {
  /** Runs one named piece of work and prints a line with its elapsed time when it ends, well or not. */
  phase<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Prints a line at once. */
  note(text: string): void;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)}s`.padStart(7);

/**
 * Progress on standard error (standard output is for results), a line per ended phase: total elapsed time, mark, name and own time.
 * On a phase that takes longer than `heartbeatMs`, a line says that it is still going.
 */
export const lineProgress = (write: (line: string) => void, heartbeatMs = 15_000): Progress => {
  const begin = performance.now();
  return markedProgress((mark, text) => write(`${seconds(performance.now() - begin)}  ${mark} ${text}\n`), heartbeatMs);
};

/** Progress of a command that another one runs, which puts its own time before each line. */
export const innerProgress = (write: (line: string) => void, heartbeatMs = 15_000): Progress =>
  markedProgress((mark, text) => write(`${mark} ${text}\n`), heartbeatMs);

const markedProgress = (line: (mark: string, text: string) => void, heartbeatMs: number): Progress => {
  return {
    note: (text) => line('·', text),
    phase: async (name, work) => {
      const start = performance.now();
      const took = (): string => seconds(performance.now() - start).trim();
      const heartbeat = setInterval(() => line('…', `${name} (still going after ${took()})`), heartbeatMs);
      try {
        const result = await work();
        line('✓', `${name} (${took()})`);
        return result;
      } catch (error) {
        line('✗', `${name} (${took()}): ${messageOf(error).split('\n')[0]}`);
        throw error;
      } finally {
        clearInterval(heartbeat);
      }
    },
  };
};

/** Progress that tells nobody. */
export const silentProgress: Progress = { note: () => {}, phase: (_name, work) => work() };
