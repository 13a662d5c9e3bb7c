import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Failure, messageOf } from '../../common/failure.ts';
import type { CommandInputs } from './inputs.ts';

export interface CommandOutputs {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  /** Each line that the command prints, as far as its `logging` says. */
  readonly onLine: (line: string) => void;
  /** For all that is shown. */
  readonly redact: (text: string) => string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const killAfterMs = 5_000;
const drainMs = 1_000;
const shownLines = 40;

const environmentOf = (inputs: CommandInputs, previous: CommandOutputs): NodeJS.ProcessEnv => ({
  ...process.env,
  ...inputs.environment,
  ...(inputs.addPreviousOutputInEnv !== false && previous.stdout !== '' && { PULUMI_COMMAND_STDOUT: previous.stdout }),
  ...(inputs.addPreviousOutputInEnv !== false && previous.stderr !== '' && { PULUMI_COMMAND_STDERR: previous.stderr }),
});

const signalGroup = (child: Child, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended in the meantime.
  }
};

/** Asks all that a command has started to end, and makes it end after a while. */
const endOnAbort = (child: Child, signal: AbortSignal): (() => void) => {
  let force: NodeJS.Timeout | undefined;
  const end = (): void => {
    signalGroup(child, 'SIGTERM');
    force = setTimeout(() => signalGroup(child, 'SIGKILL'), killAfterMs);
  };
  signal.addEventListener('abort', end, { once: true });
  return () => {
    signal.removeEventListener('abort', end);
    clearTimeout(force);
  };
};

const eachLine = (stream: Readable, onLine: (line: string) => void): void => {
  let rest = '';
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
};

const exitOf = (child: Child): Promise<string> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      // What a command leaves running in the background may hold its output open for good.
      const drained = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, drainMs);
      child.once('close', () => {
        clearTimeout(drained);
        resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`);
      });
    });
  });

const withoutLastNewline = (text: string): string => (text.endsWith('\n') ? text.slice(0, -1) : text);

/**
 * Runs one command in a process group of its own.
 * @param previous what the command before it printed.
 * @returns what it printed, one newline at the end of each cut off.
 * @throws Failure where it cannot start, is cancelled, or ends with another exit code than 0.
 */
export const runCommand = async (
  command: string,
  inputs: CommandInputs,
  previous: CommandOutputs,
  { signal, onLine, redact }: RunOptions,
): Promise<CommandOutputs> => {
  const [program = '/bin/sh', ...args] = inputs.interpreter?.length ? inputs.interpreter : ['/bin/sh', '-c'];
  const tried = `run '${redact(command)}'`;
  const dir = inputs.dir ?? process.cwd();
  const fail = (got: string, cause?: unknown): Failure =>
    new Failure({ tried, got: redact(got), next: `run it by hand in ${dir} to see more`, cause });
  if (signal.aborted) throw fail('it was cancelled before it began');

  const child = spawn(program, [...args, command], {
    cwd: dir,
    env: environmentOf(inputs, previous),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exit = exitOf(child);
  const release = endOnAbort(child, signal);
  const output = { stdout: '', stderr: '', both: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = child[name].setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      output[name] += chunk;
      output.both += chunk;
    });
    const logging = inputs.logging ?? 'stdoutAndStderr';
    if (logging === name || logging === 'stdoutAndStderr') eachLine(stream, (line) => onLine(redact(line)));
  }
  // A command that ends without reading its input must not end this process by EPIPE.
  child.stdin.on('error', () => {});
  child.stdin.end(inputs.stdin ?? '');

  try {
    const how = await exit;
    const shown = output.both.trimEnd().split('\n').slice(-shownLines).join('\n');
    if (signal.aborted) throw fail(`it was cancelled (${how}):\n${shown}`);
    if (how !== 'exit code 0') throw fail(`${how}:\n${shown}`);
    return { stdout: withoutLastNewline(output.stdout), stderr: withoutLastNewline(output.stderr) };
  } catch (error) {
    throw error instanceof Failure ? error : fail(messageOf(error), error);
  } finally {
    release();
  }
};
