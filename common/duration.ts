const msPerUnit: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Milliseconds of a duration as Go's time.ParseDuration reads it, such as `3s`, `1.5h`, `2m30s` or `0`; undefined where
 * it is none. Signs are not taken: nothing here lasts less than no time.
 */
export const parseDuration = (text: string): number | undefined => {
  if (text === '0') return 0;
  let total = 0;
  part.lastIndex = 0;
  do {
    const match = part.exec(text);
    if (match === null) return undefined;
    const [, amount = '', unit = ''] = match;
    total += Number(amount) * (msPerUnit.get(unit) ?? 0);
  } while (part.lastIndex < text.length);
  return total;
};
