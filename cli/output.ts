import { Failure, messageOf, UsageFailure } from '../common/failure.ts';
import { lineProgress, type Progress, silentProgress } from '../common/progress.ts';

/** What every command is told on how to speak. */
export interface OutputOptions {
  /** Nothing but one JSON document on standard output. */
  readonly json?: boolean;
  /** No progress lines. */
  readonly quiet?: boolean;
}

export const progressFor = (options: OutputOptions): Progress =>
  options.quiet === true ? silentProgress : lineProgress((line) => process.stderr.write(line));

/** Prints a result for people, or as JSON. */
export const printResult = (options: OutputOptions, result: unknown, text: string): void => {
  process.stdout.write(options.json === true ? `${JSON.stringify(result, null, 2)}\n` : `${text}\n`);
};

/** Exit codes: 1 it failed, 2 it was asked wrongly. */
export const exitCodeOf = (error: unknown): 1 | 2 => (error instanceof UsageFailure ? 2 : 1);

/** Tells what went wrong: a failure that we foresaw by its words alone, any other with its stack. */
export const printError = (error: unknown, json: boolean): void => {
  if (json) {
    const parts = error instanceof Failure ? error.parts : { tried: '', got: messageOf(error), next: '' };
    const { tried, got, next } = parts;
    process.stdout.write(`${JSON.stringify({ error: { tried, got, next } }, null, 2)}\n`);
  }
  const text =
    error instanceof Failure || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
  process.stderr.write(`understudy: ${text}\n`);
};
