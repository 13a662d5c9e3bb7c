import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryExec } from '../common/exec.ts';
import { Failure } from '../common/failure.ts';
import { projectDir } from '../common/paths.ts';

/** A stack of a benchmark's own, away from the user's. */
export interface BenchStack {
  readonly home: string;
  /** Runs a command of the command line on it, whose last word is a stack. */
  run(...args: readonly string[]): Promise<TimedRun>;
  /** Takes it down, whatever state it is in. */
  remove(): Promise<void>;
}

export interface TimedRun {
  /** Of the whole process. */
  readonly seconds: number;
  readonly stdout: string;
  readonly stderr: string;
}

const made = new Set<BenchStack>();

/** Takes down what a benchmark that is ended in its midst would leave. */
export const removeBenchStacks = async (): Promise<void> => {
  await Promise.all([...made].map((stack) => stack.remove()));
};

const cli = join(projectDir, 'cli', 'understudy.js');

/** Where commands run, if not just here. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Words to put before each command. */
  readonly enter: readonly string[];
}

/** Makes a stack `bench` with these settings. */
export const createBenchStack = async (
  settings: Readonly<Record<string, unknown>>,
  surroundings: Surroundings = { env: process.env, enter: [] },
): Promise<BenchStack> => {
  const home = await mkdtemp(join(tmpdir(), 'us-bench-'));
  const stacks = join(home, 'files');
  await mkdir(stacks);
  const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`understudy:${key}`, value]));
  await writeFile(join(stacks, 'Pulumi.bench.yaml'), JSON.stringify({ config }));
  const env = { ...surroundings.env, UNDERSTUDY_HOME: home, UNDERSTUDY_STACKS: stacks };
  const run = async (...args: readonly string[]): Promise<TimedRun> => {
    const begin = performance.now();
    const [program = '', ...words] = [...surroundings.enter, process.execPath, cli, ...args, 'bench'];
    const { code, stdout, stderr } = await tryExec(program, words, { env });
    const seconds = (performance.now() - begin) / 1000;
    if (code === 0) return { seconds, stdout, stderr };
    throw new Failure({
      tried: `run 'understudy ${args.join(' ')}' for the benchmark`,
      got: `exit code ${code}: ${stderr || stdout}`,
      next: `see ${home}`,
    });
  };
  const stack: BenchStack = {
    home,
    run,
    remove: async () => {
      await run('down');
      await rm(home, { recursive: true, force: true });
      made.delete(stack);
    },
  };
  made.add(stack);
  return stack;
};
