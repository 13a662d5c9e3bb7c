import type { CheckFailure, CheckResult } from '../protocol/provider.ts';
import { isList, isMap, type PropertyMap, type PropertyValue, reveal, Unknown } from '../protocol/values.ts';

/** Inputs of `command.local.Command` and of `command.local.run`, laid open. */
export interface CommandInputs {
  readonly create?: string;
  readonly update?: string;
  readonly delete?: string;
  /** Of `run` alone. */
  readonly command?: string;
  readonly dir?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly interpreter?: readonly string[];
  readonly stdin?: string;
  readonly logging?: string;
  readonly addPreviousOutputInEnv?: boolean;
}

type Kind = readonly [description: string, holds: (value: PropertyValue) => boolean];

const isText = (value: PropertyValue): boolean => typeof value === 'string' || value instanceof Unknown;

const text: Kind = ['a text', isText];
const texts: Kind = ['a list of texts', (value) => isList(value) && value.every(isText)];
const textMap: Kind = ['a map of texts', (value) => isMap(value) && Object.values(value).every(isText)];
const flag: Kind = ['true or false', (value) => typeof value === 'boolean'];
const list: Kind = ['a list', isList];
const streams = ['stdout', 'stderr', 'stdoutAndStderr', 'none'];
const stream: Kind = [`one of ${streams.join(', ')}`, (value) => streams.some((name) => name === value)];

const shared: Readonly<Record<string, Kind>> = {
  dir: text,
  environment: textMap,
  interpreter: texts,
  stdin: text,
  logging: stream,
  addPreviousOutputInEnv: flag,
};

const resourceKinds = { ...shared, create: text, update: text, delete: text, triggers: list };
const functionKinds = { ...shared, command: text };

const unsupported = ['assetPaths', 'archivePaths'];

const failureOf = (name: string, value: PropertyValue, kinds: Readonly<Record<string, Kind>>): CheckFailure[] => {
  if (value === null || value instanceof Unknown) return [];
  if (unsupported.includes(name)) {
    const reason =
      "is not supported by the stand-in for Pulumi's command provider: leave it out, " +
      'or install the official one (pulumi plugin install resource command)';
    return [{ property: name, reason }];
  }
  const kind = kinds[name];
  if (kind === undefined) return [{ property: name, reason: 'is not an input of a command' }];
  return kind[1](value) ? [] : [{ property: name, reason: `must be ${kind[0]}` }];
};

const failuresOf = (inputs: PropertyMap, kinds: Readonly<Record<string, Kind>>): CheckFailure[] =>
  Object.entries(inputs).flatMap(([name, value]) => failureOf(name, reveal(value), kinds));

export const checkCommand = (inputs: PropertyMap): CheckResult => ({
  inputs,
  failures: failuresOf(inputs, resourceKinds),
});

export const checkRun = (inputs: PropertyMap): readonly CheckFailure[] => {
  const missing = inputs.command === undefined ? [{ property: 'command', reason: 'is missing' }] : [];
  return [...missing, ...failuresOf(inputs, functionKinds)];
};

/** Inputs that were checked; those that are not there or null are left out. */
export const parseInputs = (inputs: PropertyMap): CommandInputs =>
  Object.fromEntries(
    Object.entries(inputs)
      .map(([name, value]) => [name, reveal(value)] as const)
      .filter(([, value]) => value !== null),
  );
