/** Repeatable chance for tests. */
export interface Chance {
  /** Whole number from 0, below `end`. */
  readonly below: (end: number) => number;
  readonly pick: <T>(choices: readonly T[]) => T;
  /** Whether something of this probability happens. */
  readonly happens: (probability: number) => boolean;
}

/** @see https://en.wikipedia.org/wiki/Xorshift */
export const chanceOf = (seed: number): Chance => {
  let state = (seed * 2654435761 + 0x9e3779b9) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return {
    below,
    pick: (choices) => {
      const index = below(choices.length);
      const [choice] = choices.slice(index, index + 1);
      if (choice === undefined) throw new Error('nothing to pick from');
      return choice;
    },
    happens: (probability) => next() < probability,
  };
};
