/** What a person needs to know of something that did not work. */
export interface FailureParts {
  /** What was attempted, as the rest of a sentence that starts 'could not', with its object: 'build kube-apiserver'. */
  readonly tried: string;
  /** What came back: an exit code, an error's text, an answer. */
  readonly got: string;
  /** What to do about it: a command to type, or the one thing to check. */
  readonly next: string;
  readonly cause?: unknown;
}

/** An error meant for the user: printed as its message alone, without a stack. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly parts: FailureParts;

  constructor(parts: FailureParts) {
    super(`could not ${parts.tried}: ${parts.got}\n  next: ${parts.next}`, { cause: parts.cause });
    this.parts = parts;
  }
}

/** The user asked for something that does not exist or does not fit; exit code 2. */
export class UsageFailure extends Failure {}

/** A failure beside which other work still waits: the process ends with it, and leaves that work. */
export class EndingFailure extends Failure {}

/** The text of anything that was thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** Whether `thrown` is a system error with this code (`ENOENT`, `EADDRINUSE`, …). */
export const hasCode = (thrown: unknown, code: string): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === code;
