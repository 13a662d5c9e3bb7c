#!/usr/bin/env node
// Runs the command line on the Node that package.json pins, whichever Node started this file.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const project = new URL('..', import.meta.url);
const pinned = fileURLToPath(new URL(`node_modules/node-linux-${process.arch}/bin/node`, project));
const self = fileURLToPath(import.meta.url);

if (!existsSync(pinned)) {
  process.stderr.write(
    `could not find the Node of this project: no ${pinned}\n  next: run 'npm ci' in ${fileURLToPath(project)} (Linux on x64 or arm64)\n`,
  );
  process.exit(1);
}
if (process.execPath === pinned) {
  const { enableCompileCache } = await import('node:module');
  const { cacheDir } = await import('../common/paths.ts');
  // Types stripped and code compiled once: half of the time that each of our processes takes to begin.
  enableCompileCache(`${cacheDir()}/node`);
  await import('./main.ts');
} else {
  const child = spawn(pinned, [self, ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches both; the child decides when to end. One that is about to end well would be spoilt by another signal.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => setTimeout(() => child.kill(signal), 200));
  }
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 143)));
}
