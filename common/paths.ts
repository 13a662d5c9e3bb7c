import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The checkout that this code runs from. */
export const projectDir = resolve(import.meta.dirname, '..');

/** Everything that belongs to stacks: clusters, engine state, passphrase. `UNDERSTUDY_HOME`, else `~/.understudy`. */
export const homeDir = (): string => resolve(process.env.UNDERSTUDY_HOME ?? join(homedir(), '.understudy'));

/** What can be made again, and is shared by all stacks: programs, images. `UNDERSTUDY_CACHE`, else below the user's cache folder. */
export const cacheDir = (): string =>
  resolve(process.env.UNDERSTUDY_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'understudy'));
