import { spawn } from 'node:child_process';
import { Failure } from './failure.ts';

export interface ExecOptions {
  readonly cwd?: string;
  /** The whole environment of the child; this process's own where left out. */
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the child's standard input, which is then closed. */
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** What to tell the user to do when it fails. */
  readonly next?: string;
}

export interface ExecResult {
  /** Exit code, or 128 + the signal's number as shells count it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const tail = (text: string, lines: number): string => text.trimEnd().split('\n').slice(-lines).join('\n');

/** Runs a program to its end and returns what it printed, whatever its exit code. Rejects only where it cannot start. */
export const tryExec = (command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      signal: options.signal,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const number = code ?? 128 + (signal === 'SIGKILL' ? 9 : 15);
      resolve({ code: number, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
    // A child that ends without reading its input must not end this process by EPIPE.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
  });

/**
 * Runs a program to its end and returns its standard output.
 * @throws Failure with the command, its exit code and the end of what it said.
 */
export const exec = async (command: string, args: readonly string[], options: ExecOptions = {}): Promise<string> => {
  const tried = `run '${[command, ...args].join(' ')}'`;
  const next = options.next ?? `run it by hand to see more`;
  const result = await tryExec(command, args, options).catch((cause: Error) => {
    throw new Failure({ tried, got: cause.message, next, cause });
  });
  if (result.code === 0) return result.stdout;
  throw new Failure({ tried, got: `exit code ${result.code}: ${tail(result.stderr || result.stdout, 15)}`, next });
};
