import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../cli/understudy.js', import.meta.url));

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** A shell command that runs this checkout's `understudy` with these arguments. */
export const understudyCommand = (...args: readonly string[]): string => ['node', entry, ...args].map(quote).join(' ');
