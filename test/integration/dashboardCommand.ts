import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { projectDir } from '../../common/paths.ts';
import { waitFor } from '../../common/waitFor.ts';
import { type Home, pinnedNode } from '../e2e/support/home.ts';

/** `understudy dashboard` as a process of its own. */
export interface DashboardCommand {
  readonly url: string;
  signal(name: NodeJS.Signals): void;
  /** Ends it as Ctrl-C does. */
  end(): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Begins, and waits until it has told where it is. */
export const startDashboardCommand = async (home: Home, ...args: readonly string[]): Promise<DashboardCommand> => {
  // Not by its wrapper, which a signal would reach instead where node_modules is a link.
  const command = [join(projectDir, 'cli', 'main.ts'), 'dashboard', '--port', '0', ...args];
  const child = spawn(pinnedNode, command, { env: home.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const errors = text(child.stderr);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const end = async () => {
    child.kill('SIGINT');
    const [code] = (await ended) as [number | null];
    return { code, stdout: output, stderr: await errors };
  };
  const told = async () => /http:[^"\s]+(?=["\n])/.exec(output)?.[0];
  try {
    const url = await waitFor(told, { what: 'its URL', timeoutMs: 20_000, next: 'run it by hand' });
    return { url, signal: (name) => child.kill(name), end };
  } catch (error) {
    await end();
    throw error;
  }
};
