/** A bell between those who notice something and the one who acts on it. */
export interface Wake {
  ring(): void;
  /** What was rung for so far has been seen. */
  hush(): void;
  /** Resolves when it is rung, at once if that was since the last wait or hush, or after `ms`, or when `signal` aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export const createWake = (): Wake => {
  let rung = false;
  let wakeUp = (): void => {};
  return {
    ring: () => {
      rung = true;
      wakeUp();
    },
    hush: () => {
      rung = false;
    },
    wait: async (ms, signal) => {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
          signal.addEventListener('abort', wakeUp, { once: true });
        });
        signal.removeEventListener('abort', wakeUp);
        wakeUp = () => {};
      }
      rung = false;
    },
  };
};
