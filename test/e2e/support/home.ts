import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { clusterId } from '../../../cluster/plan.ts';
import type { ClusterRecord } from '../../../cluster/record.ts';
import { hasCode } from '../../../common/failure.ts';
import { projectDir } from '../../../common/paths.ts';
import { waitFor } from '../../../common/waitFor.ts';

/** What a run of the command line came to. */
export interface Finished {
  /** Exit code, or 128 + the signal's number. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** A run of the command line that goes on. */
export interface Running {
  /** Also the id of its process group. */
  readonly pid: number;
  readonly finished: Promise<Finished>;
  /** Resolves as soon as standard error has this; rejects where the run ends without. */
  says(text: RegExp): Promise<void>;
}

export interface Settings {
  readonly controlPlanes?: number;
  readonly workers?: number;
  readonly egress?: boolean;
  readonly encryption?: 'KMS' | 'aescbc' | 'aesgcm' | 'identity';
  readonly openshift?: boolean;
  readonly healthInterval?: string;
  readonly hollowNodes?: readonly object[];
  readonly placement?: 'policy' | 'webhook';
  readonly uids?: 'off' | 'openshift' | 'random';
}

/** A user's home for clusters and stack files that is a test's own. */
export interface Home {
  readonly dir: string;
  readonly stacksDir: string;
  /** Variables that make the command line use this home, whatever the developer is logged in to. */
  readonly env: NodeJS.ProcessEnv;
  writeStack(name: string, settings?: Settings): Promise<void>;
  run(...args: readonly string[]): Promise<Finished>;
  start(...args: readonly string[]): Running;
  clusterDir(stack: string): string;
  /** The engine's state of a stack. */
  statePath(stack: string): string;
  /** Ends the commands, and what they started, that a test which took too long has left. */
  endCommands(): void;
  /** Names of stacks that were written. */
  readonly stacks: ReadonlySet<string>;
  remove(): Promise<void>;
}

/** The Node that package.json pins. */
export const pinnedNode = join(projectDir, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
export const entry = join(projectDir, 'cli', 'understudy.js');

/** Settings of the developer's own Pulumi. */
const foreign = /^(PULUMI_|KUBECONFIG$)/;

export const startCommand = (command: readonly string[], env: NodeJS.ProcessEnv): Running => {
  const begin = performance.now();
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text));
  const closed = once(child, 'close');
  // 'exit', not 'close': processes that it left behind may hold its output open.
  const finished = once(child, 'exit').then(async (ended): Promise<Finished> => {
    const [code, signal] = ended as [number | null, string | null];
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 500))]);
    return {
      code: code ?? 128 + (signal === 'SIGKILL' ? 9 : 15),
      stdout: out.join(''),
      stderr: err.join(''),
      seconds: (performance.now() - begin) / 1000,
    };
  });
  return {
    pid: child.pid ?? 0,
    finished,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.test(err.join(''))) resolve();
        };
        child.stderr.on('data', look);
        child.once('exit', () => reject(new Error(`it ended without saying ${text}:\n${err.join('')}`)));
        look();
      }),
  };
};

export const makeHome = async (): Promise<Home> => {
  // Short: paths of unix sockets below it have at most 107 characters.
  const root = await mkdtemp(join(tmpdir(), 'us-'));
  const dir = join(root, 'home');
  const stacksDir = join(root, 'stacks');
  await mkdir(stacksDir);
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const env = {
    ...Object.fromEntries(own),
    UNDERSTUDY_HOME: dir,
    UNDERSTUDY_STACKS: stacksDir,
    PULUMI_HOME: join(dir, 'engine'),
  };
  const stacks = new Set<string>();
  const running = new Set<Running>();
  const start = (...args: readonly string[]): Running => {
    const command = startCommand([pinnedNode, entry, ...args], env);
    running.add(command);
    void command.finished.finally(() => running.delete(command));
    return command;
  };
  return {
    dir,
    stacksDir,
    env,
    stacks,
    start,
    run: (...args) => start(...args).finished,
    writeStack: async (name, settings = {}) => {
      stacks.add(name);
      const config = Object.fromEntries(
        Object.entries({ platform: 'local', ...settings }).map(([key, value]) => [`understudy:${key}`, value]),
      );
      await writeFile(join(stacksDir, `Pulumi.${name}.yaml`), stringify({ config }));
    },
    clusterDir: (stack) => join(dir, 'clusters', stack),
    statePath: (stack) => join(dir, '.pulumi', 'stacks', 'understudy', `${stack}.json`),
    endCommands: () => {
      for (const { pid } of running) {
        try {
          process.kill(-pid, 'SIGKILL');
        } catch (error) {
          // It ended in this moment.
          if (!hasCode(error, 'ESRCH')) throw error;
        }
      }
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
};

/** What names a cluster's things on this machine. */
export interface ClusterMarks {
  readonly id: string;
  /** First three octets of its /24; undefined where it never had one. */
  readonly network: string | undefined;
}

export const marksOf = async (home: Home, stack: string): Promise<ClusterMarks> => {
  const dir = home.clusterDir(stack);
  const text = await readFile(join(dir, 'cluster.json'), 'utf8').catch(() => '{}');
  return { id: clusterId(dir), network: (JSON.parse(text) as Partial<ClusterRecord>).network };
};

/** Runs `down` for all stacks of a home, whatever state they are in, and removes the home. */
export const endHome = async (home: Home): Promise<void> => {
  home.endCommands();
  for (const stack of home.stacks) {
    await home.writeStack(stack);
    const { code, stderr } = await home.run('down', stack);
    if (code !== 0) throw new Error(`'down ${stack}' ended with ${code}:\n${stderr}`);
  }
  await home.remove();
};

/** Waits for what a test expects to become true by itself. */
export const eventually = <T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = 60_000): Promise<T> =>
  waitFor(probe, { what, timeoutMs, intervalMs: 100, next: 'read the last answer above' });
