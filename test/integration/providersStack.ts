import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import {
  type EngineEvent,
  LocalWorkspace,
  type OpMap,
  type PulumiFn,
  type Stack,
  type UpResult,
} from '@pulumi/pulumi/automation/index.js';
import { silentProgress } from '../../common/progress.ts';
import { startProviders } from '../../providers/index.ts';
import { ensurePrograms } from '../../toolchain/index.ts';

export interface StateResource {
  readonly urn: string;
  readonly id?: string;
  readonly type: string;
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
  readonly initErrors?: readonly string[];
}

/** A stack of the official engine on the stand-ins, with its state in a temporary directory. */
export interface TestStack {
  up(program: PulumiFn): Promise<UpResult>;
  /** Changes that an update would make. */
  preview(program: PulumiFn): Promise<OpMap>;
  refresh(program: PulumiFn): Promise<OpMap | undefined>;
  destroy(): Promise<void>;
  /** Everything that the engine printed during the last operation. */
  output(): string;
  events(): readonly EngineEvent[];
  /** Resources in the state whose type is of a provider. */
  resources(): Promise<readonly StateResource[]>;
  /** The state file as it is on the disk. */
  stateText(): Promise<string>;
  /** The engine's stack, for what the above does not do; its providers live for one operation. */
  withProviders<T>(program: PulumiFn, work: (stack: Stack) => Promise<T>): Promise<T>;
  remove(): Promise<void>;
}

const projectName = 'test';
const stackName = 'stack';

export const createTestStack = async (): Promise<TestStack> => {
  const dir = await mkdtemp(join(tmpdir(), 'understudy-stack-'));
  const { pulumi } = await ensurePrograms(['pulumi'], silentProgress);
  const path = [dirname(pulumi), process.env.PATH].join(delimiter);
  // The Automation API looks for the engine on this process's own PATH.
  process.env.PATH = path;
  let printed = '';
  let events: EngineEvent[] = [];

  const withProviders = async <T>(program: PulumiFn, work: (stack: Stack) => Promise<T>): Promise<T> => {
    const providers = await startProviders();
    printed = '';
    events = [];
    try {
      const stack = await LocalWorkspace.createOrSelectStack(
        { projectName, stackName, program },
        {
          workDir: dir,
          secretsProvider: 'passphrase',
          envVars: {
            PATH: path,
            PULUMI_HOME: join(dir, 'home'),
            PULUMI_BACKEND_URL: `file://${dir}`,
            PULUMI_CONFIG_PASSPHRASE: 'test',
            PULUMI_SKIP_UPDATE_CHECK: 'true',
            // Looking for the plugins that are stood in for takes seconds without a network.
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
            PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK: 'true',
            PULUMI_DEBUG_PROVIDERS: providers.debugProviders,
          },
        },
      );
      return await work(stack);
    } finally {
      await providers.close();
    }
  };

  const options = {
    onOutput: (text: string): void => {
      printed += text;
    },
    onEvent: (event: EngineEvent): void => {
      events.push(event);
    },
  };
  const statePath = join(dir, '.pulumi', 'stacks', projectName, `${stackName}.json`);

  return {
    up: (program) => withProviders(program, (stack) => stack.up(options)),
    preview: async (program) =>
      (await withProviders(program, (stack) => stack.preview({ ...options, onError: options.onOutput }))).changeSummary,
    refresh: async (program) =>
      (await withProviders(program, (stack) => stack.refresh(options))).summary.resourceChanges,
    destroy: async () => {
      await withProviders(
        async () => {},
        (stack) => stack.destroy(options),
      );
    },
    output: () => printed,
    events: () => events,
    resources: async () => {
      const state = JSON.parse(await readFile(statePath, 'utf8')) as {
        checkpoint: { latest: { resources?: StateResource[] } };
      };
      return (state.checkpoint.latest.resources ?? []).filter(({ type }) => /^(kubernetes|command):/.test(type));
    },
    stateText: () => readFile(statePath, 'utf8'),
    withProviders,
    remove: () => rm(dir, { recursive: true, force: true }),
  };
};
