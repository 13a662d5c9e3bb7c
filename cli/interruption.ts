const signals = ['SIGINT', 'SIGTERM'] as const;

/** One Ctrl-C comes twice where the wrapper (understudy.js) passes on what the terminal has sent to both. Milliseconds. */
const sameMs = 500;

/** Runs work that Ctrl-C tells to stop, instead of ending the process at once. A second one ends it. */
export const interruptibly = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController();
  const release = (): void => {
    for (const signal of signals) process.off(signal, stop);
  };
  const stop = (): void => {
    controller.abort();
    setTimeout(release, sameMs).unref();
  };
  for (const signal of signals) process.on(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    if (!controller.signal.aborted) release();
  }
};
