import { delimiter, dirname } from 'node:path';
import type { Deployment, Stack as EngineStack, PulumiFn } from '@pulumi/pulumi/automation/index.js';
import { Failure, messageOf } from '../common/failure.ts';
import { homeDir } from '../common/paths.ts';
import type { Progress } from '../common/progress.ts';
import { startProviders } from '../providers/index.ts';
import { ensurePrograms, findOptionalPlugins } from '../toolchain/index.ts';
import { withoutQuestions } from './engineCommand.ts';
import { type EngineListener, engineListener } from './engineEvents.ts';
import {
  type EngineHome,
  prepareEngineHome,
  projectName,
  readState,
  removeStaleEngineLocks,
  type StateSummary,
  writeEngineStackFile,
} from './engineHome.ts';
import type { Stack } from './stack.ts';

/** An engine that is ready to work on one stack, for one operation. */
export interface Engine {
  readonly stack: EngineStack;
  readonly home: EngineHome;
  /** Runs an operation; what the engine reports as an error becomes the Failure. */
  run<T>(
    tried: string,
    operation: (onEvent: EngineListener['onEvent']) => Promise<T>,
    describe?: 'steps' | 'plan',
  ): Promise<EngineOutcome<T>>;
}

export interface EngineOutcome<T> {
  readonly result: T;
  /** Resources that were, or would be, changed. */
  readonly changes: number;
}

const loadProgram: PulumiFn = async () => (await import('../infra/program.ts')).program();

/**
 * Operations that a killed engine left open are taken out of the state: ours are safe to begin again (a command heals
 * what it finds; an object that exists already is taken over).
 */
const dropPendingOperations = async (stack: EngineStack, progress: Progress): Promise<void> => {
  const state = await stack.exportStack();
  const deployment: Record<string, unknown> = { ...state.deployment };
  delete deployment.pending_operations;
  await stack.importStack({ ...state, deployment } as Deployment);
  progress.note('took up the work of a command that was killed');
};

/** What the engine printed before it failed, without the Automation API's report around it. */
const saidBy = (cause: unknown): string => {
  const message = messageOf(cause);
  return /\n? *stderr: ([\s\S]*?)(?:\n *err\?: |$)/.exec(message)?.[1]?.trim() || message;
};

/** What is known of a stack's state before the engine is asked. */
const checkState = async (home: EngineHome, stack: string): Promise<Exclude<StateSummary, 'damaged'> | 'unknown'> => {
  if (home.stateDir === undefined) return 'unknown';
  await removeStaleEngineLocks(home.stateDir, stack);
  const state = await readState(home.stateDir, stack);
  if (state !== 'damaged') return state;
  throw new Failure({
    tried: `read the engine's state of stack ${stack}`,
    got: `its file below ${home.stateDir}/.pulumi is cut short or was edited`,
    next: `run 'understudy down ${stack}', which removes the cluster and that file, then 'understudy up ${stack}'`,
  });
};

/** The official plugins that are there, as packages and the folders for the engine's PATH. */
const officialPlugins = async (progress: Progress): Promise<ReadonlyMap<string, string>> => {
  const found = Object.entries(await findOptionalPlugins(progress));
  return new Map(
    found.flatMap(([name, path]) => (path ? [[name.replace('pulumi-resource-', ''), dirname(path)]] : [])),
  );
};

/**
 * Starts the official engine's surroundings (state, settings, providers), lets `work` use it, and ends them.
 * @throws Failure
 */
export const withEngine = async <T>(
  stack: Stack,
  progress: Progress,
  work: (engine: Engine) => Promise<T>,
): Promise<T> => {
  const [home, { pulumi }, plugins] = await Promise.all([
    prepareEngineHome(),
    ensurePrograms(['pulumi'], progress),
    officialPlugins(progress),
  ]);
  // The engine is found, and the plumbing commands run, by this process's own PATH.
  process.env.PATH = [dirname(pulumi), ...plugins.values(), process.env.PATH ?? ''].join(delimiter);
  const automation = import('@pulumi/pulumi/automation/index.js');
  const [state, { LocalWorkspace }, command] = await Promise.all([
    checkState(home, stack.name),
    automation,
    automation.then(({ PulumiCommand }) => PulumiCommand.get({ skipVersionCheck: true })),
    writeEngineStackFile(stack),
  ]);
  // Last, since whoever starts them has to end them.
  const standIns = await startProviders(new Set(plugins.keys()));
  try {
    const project = { projectName, stackName: stack.name, program: loadProgram };
    const options = {
      workDir: stack.workDir,
      secretsProvider: 'passphrase',
      pulumiCommand: withoutQuestions(command),
      envVars: {
        ...home.variables,
        PATH: process.env.PATH,
        PULUMI_DEBUG_PROVIDERS: standIns.debugProviders,
      },
    };
    const opened =
      state === 'none'
        ? LocalWorkspace.createStack(project, options)
        : LocalWorkspace.createOrSelectStack(project, options);
    const [engineStack] = await Promise.all([
      opened.catch((cause: unknown) => {
        throw new Failure({
          tried: `open the engine's state of stack ${stack.name}`,
          got: saidBy(cause),
          next: `mend that (a lost ${homeDir()}/passphrase cannot be), or run 'understudy down ${stack.name}', which works without`,
          cause,
        });
      }),
      // Loaded while the engine starts.
      import('../infra/program.ts'),
    ]);
    const pendingOperations = typeof state === 'string' ? 0 : state.pendingOperations;
    if (pendingOperations > 0) await dropPendingOperations(engineStack, progress);
    return await work({
      stack: engineStack,
      home,
      run: async (tried, operation, describe = 'steps') => {
        const listener = engineListener(progress, describe);
        try {
          return { result: await operation(listener.onEvent), changes: listener.changes() };
        } catch (cause) {
          throw new Failure({
            tried,
            got: listener.errors.join('\n') || saidBy(cause),
            next: `mend that and run the same command again; 'understudy down ${stack.name}' removes everything`,
            cause,
          });
        }
      },
    });
  } finally {
    await standIns.close();
  }
};
