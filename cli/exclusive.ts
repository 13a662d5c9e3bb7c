import { withLock } from '../common/lock.ts';
import type { Progress } from '../common/progress.ts';
import type { Stack } from './stack.ts';

/** Runs a command that changes a stack alone: a second one waits for the first. */
export const exclusively = <T>(
  stack: Pick<Stack, 'name' | 'lockPath'>,
  progress: Progress,
  work: () => Promise<T>,
): Promise<T> =>
  withLock(stack.lockPath, work, () =>
    progress.note(`another command works on stack ${stack.name}: waiting for it to end`),
  );
