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

/** What the machine refused: a full disk, a file where a folder belongs, missing rights. */
const systemFailure = (error: NodeJS.ErrnoException): Failure =>
  new Failure({
    tried: `use ${error.path ?? 'what it needs of this machine'}`,
    got: error.message,
    next: ['ENOSPC', 'EDQUOT'].includes(error.code ?? '')
      ? "free space on that disk ('df -h' shows it), or let UNDERSTUDY_HOME and UNDERSTUDY_CACHE name folders on another; then run the same command again"
      : 'check that path and who may use it, then run the same command again',
    cause: error,
  });

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;

/** Tells what went wrong: a failure that we foresaw by its words alone, any other with its stack. */
export const printError = (thrown: unknown, json: boolean): void => {
  const error = isSystemError(thrown) ? systemFailure(thrown) : thrown;
  if (json) {
    const parts = error instanceof Failure ? error.parts : { tried: '', got: messageOf(error), next: '' };
    const { tried, got, next } = parts;
    process.stdout.write(`${JSON.stringify({ error: { tried, got, next } }, null, 2)}\n`);
  }
  const text =
    error instanceof Failure || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
  process.stderr.write(`understudy: ${text}\n`);
};
