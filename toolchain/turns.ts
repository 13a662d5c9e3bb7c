/** Runs pieces of work, so many at once; of those that wait, the lowest rank comes first. */
export interface Turns {
  take<T>(rank: number, work: () => Promise<T>): Promise<T>;
}

interface Waiting {
  readonly rank: number;
  start(): void;
}

export const createTurns = (atOnce: number): Turns => {
  let free = atOnce;
  const waiting: Waiting[] = [];
  return {
    take: async (rank, work) => {
      if (free > 0) free -= 1;
      else {
        await new Promise<void>((start) => {
          waiting.push({ rank, start });
          waiting.sort((a, b) => a.rank - b.rank);
        });
      }
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next.start();
        else free += 1;
      }
    },
  };
};
