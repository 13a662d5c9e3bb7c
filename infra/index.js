// What Pulumi's language host runs. It takes the Node on PATH, which may be one that cannot read TypeScript.
import { spawn } from 'node:child_process';
import { requirePinnedNode } from '../common/pinnedNode.js';

const pinned = requirePinnedNode();

/** The language host's own command again, with its way to tell the engine of resources and outputs. */
const runAgain = () =>
  new Promise((_resolve, reject) => {
    const child = spawn(pinned, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });

const { program } = process.execPath === pinned ? await import('./program.ts') : await runAgain();

export const { kubeconfig } = await program();
