const signals = ['SIGINT', 'SIGTERM'] as const;

/** Runs work that Ctrl-C tells to stop, instead of ending the process at once. A second one ends it. */
export const interruptibly = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  for (const signal of signals) process.once(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
};
