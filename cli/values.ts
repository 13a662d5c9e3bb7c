import { parseDuration } from '../common/duration.ts';
import { UsageFailure } from '../common/failure.ts';

const wrong = (option: string, got: string, next: string): UsageFailure =>
  new UsageFailure({ tried: `understand ${option}`, got, next });

/** Milliseconds of an option like `90s`. @throws UsageFailure where it is none, or nothing */
export const durationOption = (option: string, text: string): number => {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw wrong(option, `'${text}' is no duration above 0`, "write it as '90s', '10m' or '1h30m'");
};

/** A number of an option, where it is there. @throws UsageFailure where it is none */
export const numberOption = (option: string, text: string): number => {
  if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  throw wrong(option, `'${text}' is no number`, 'give a number');
};

/** One of some words. @throws UsageFailure that lists them */
export const wordOption = <W extends string>(option: string, text: string, words: readonly W[]): W => {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw wrong(option, `'${text}' is none of ${words.join(', ')}`, 'name one of those');
};

/** A port to listen at, 0 for any that is free. @throws UsageFailure where it is none */
export const portOption = (option: string, text: string): number => {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw wrong(option, `'${text}' is no port`, 'give a number up to 65535, 0 for any that is free');
};
