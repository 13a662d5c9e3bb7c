import { fileURLToPath } from 'node:url';
import { shellQuote } from '../common/shellQuote.ts';

const entry = fileURLToPath(new URL('../cli/understudy.js', import.meta.url));

/** A shell command that runs this checkout's `understudy` with these arguments. */
export const understudyCommand = (...args: readonly string[]): string =>
  ['node', entry, ...args].map(shellQuote).join(' ');
