import { randomBytes } from 'node:crypto';
import { Failure } from '../../common/failure.ts';
import { diffMaps } from '../protocol/diff.ts';
import type { EngineLog } from '../protocol/engine.ts';
import { formatPath } from '../protocol/path.ts';
import { type ResourceProvider, Unsupported } from '../protocol/provider.ts';
import { containsSecret, type PropertyMap, type PropertyValue, reveal, Secret, unknown } from '../protocol/values.ts';
import { checkCommand, checkRun, parseInputs } from './inputs.ts';
import { redactor } from './redact.ts';
import { type CommandOutputs, runCommand } from './run.ts';

const commandToken = 'command:local:Command';
const runToken = 'command:local:run';

const requireCommand = (token: string): void => {
  if (token !== commandToken) throw new Unsupported(`the resource ${token}`, 'command');
};

const printed = (state: PropertyMap): CommandOutputs => {
  const text = (name: string): string => {
    const value = reveal(state[name] ?? '');
    return typeof value === 'string' ? value : '';
  };
  return { stdout: text('stdout'), stderr: text('stderr') };
};

/** Inputs and what the command printed; what came of secrets may show them. */
const stateOf = (inputs: PropertyMap, stdout: PropertyValue, stderr: PropertyValue): PropertyMap => {
  const mark = (value: PropertyValue): PropertyValue => (containsSecret(inputs) ? new Secret(value) : value);
  return { ...inputs, stdout: mark(stdout), stderr: mark(stderr) };
};

/** Stand-in for Pulumi's command provider (1.2): local commands. */
export const createCommandProvider = (log: EngineLog): ResourceProvider => {
  const cancellation = new AbortController();

  /** Runs a command where there is one; without it what was printed before stands. */
  const run = async (
    urn: string,
    command: string | undefined,
    inputs: PropertyMap,
    previous: CommandOutputs,
  ): Promise<PropertyMap> => {
    if (command === undefined) return stateOf(inputs, previous.stdout, previous.stderr);
    const outputs = await runCommand(command, parseInputs(inputs), previous, {
      signal: cancellation.signal,
      onLine: (line) => log.status(urn, line),
      redact: redactor(inputs),
    });
    return stateOf(inputs, outputs.stdout, outputs.stderr);
  };

  return {
    checkConfig: (inputs) => ({ inputs, failures: [] }),
    diffConfig: () => ({ changes: new Map(), deleteBeforeReplace: false }),
    configure: () => Promise.resolve(),
    check: async (call) => {
      requireCommand(call.type);
      return checkCommand(call.inputs);
    },
    diff: ({ oldInputs, inputs }) => ({
      changes: new Map(
        diffMaps(oldInputs, inputs).map(({ path, kind }) => [
          formatPath(path),
          { kind, replaces: path[0] === 'triggers' },
        ]),
      ),
      deleteBeforeReplace: false,
    }),
    create: async ({ urn, name, inputs, preview }) => {
      if (preview) return { id: '', outputs: stateOf(inputs, unknown, unknown) };
      const outputs = await run(urn, parseInputs(inputs).create, inputs, { stdout: '', stderr: '' });
      return { id: `${name}${randomBytes(4).toString('hex')}`, outputs };
    },
    update: ({ urn, oldOutputs, inputs, preview }) => {
      if (preview) return Promise.resolve(stateOf(inputs, unknown, unknown));
      const { create, update } = parseInputs(inputs);
      return run(urn, update ?? create, inputs, printed(oldOutputs));
    },
    read: ({ id, type, oldInputs, oldOutputs }) => {
      if (Object.keys(oldOutputs).length > 0) return Promise.resolve({ id, inputs: oldInputs, outputs: oldOutputs });
      throw new Failure({
        tried: `import the ${type} '${id}'`,
        got: 'there is nothing to read: what a command did is known only to the state of the stack that ran it',
        next: 'declare it without the import option, so that it runs',
      });
    },
    delete: async ({ urn, oldInputs, oldOutputs }) => {
      await run(urn, parseInputs(oldInputs).delete, oldInputs, printed(oldOutputs));
    },
    invoke: (token, args) => {
      if (token !== runToken) throw new Unsupported(`the function ${token}`, 'command');
      const [failure] = checkRun(args);
      if (failure !== undefined) {
        const got = `${failure.property} ${failure.reason}`;
        throw new Failure({ tried: 'run a command', got, next: 'correct the arguments of command.local.run' });
      }
      return run('', parseInputs(args).command, args, { stdout: '', stderr: '' });
    },
    cancel: () => cancellation.abort(),
  };
};
