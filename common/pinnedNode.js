// JavaScript, so that any Node reads it.
import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Path of the Node that package.json pins, as a process of it sees its own: where node_modules or a part of it is a symbolic
 * link, without that. Another path would be started again and again.
 * @throws Error that says what to do where npm did not install it
 */
export const requirePinnedNode = () => {
  const project = new URL('..', import.meta.url);
  const pinned = fileURLToPath(new URL(`node_modules/node-linux-${process.arch}/bin/node`, project));
  if (existsSync(pinned)) return realpathSync(pinned);
  throw new Error(
    `could not find the Node of this project: no ${pinned}\n  next: run 'npm ci' in ${fileURLToPath(project)} (Linux on x64 or arm64)`,
  );
};
