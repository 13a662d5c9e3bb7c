#!/usr/bin/env node
// Runs the command line on the Node that package.json pins, whichever Node started this file.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { requirePinnedNode } from '../common/pinnedNode.js';

const findPinned = () => {
  try {
    return requirePinnedNode();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
};

const pinned = findPinned();
if (process.execPath === pinned) {
  const { enableCompileCache } = await import('node:module');
  const { cacheDir } = await import('../common/paths.ts');
  // Types stripped and code compiled once: half of the time that each of our processes takes to begin.
  enableCompileCache(`${cacheDir()}/node`);
  await import('./main.ts');
} else {
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches both; the child decides when to end. One that is about to end well would be spoilt by another signal.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => setTimeout(() => child.kill(signal), 200));
  }
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 143)));
}
