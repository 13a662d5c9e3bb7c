// What Pulumi's language host runs. It takes the Node on PATH, which may be one that cannot read TypeScript.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const project = new URL('..', import.meta.url);
const pinned = fileURLToPath(new URL(`node_modules/node-linux-${process.arch}/bin/node`, project));

if (!existsSync(pinned)) {
  throw new Error(
    `could not find the Node of this project: no ${pinned}\n  next: run 'npm ci' in ${fileURLToPath(project)} (Linux on x64 or arm64)`,
  );
}

/** The language host's own command again, with its way to tell the engine of resources and outputs. */
const runAgain = () =>
  new Promise((_resolve, reject) => {
    const child = spawn(pinned, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });

const { program } = process.execPath === pinned ? await import('./program.ts') : await runAgain();

export const { kubeconfig } = await program();
