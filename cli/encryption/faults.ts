import { UsageFailure } from '../../common/failure.ts';
import {
  type BackendFault,
  backendFaultSchema,
  type FaultKind,
  faultKinds,
  faultProblem,
  faultSchema,
  longestFaultMs,
} from '../../plugin/faults/fault.ts';
import { durationOption, numberOption, wordOption } from '../values.ts';
import type { BackendObject, EncryptionObjects, FaultObject } from './objects.ts';
import { encryptionStatus } from './state.ts';

/** Options of `fault set` as they were typed. */
export interface FaultOptions {
  readonly key?: string;
  readonly node?: string;
  readonly for?: string;
  readonly method?: string;
  readonly milliseconds?: string;
  readonly perSecond?: string;
  readonly code?: string;
  readonly message?: string;
  readonly name?: string;
}

/** What faults can be about in a cluster now. */
export interface FaultTargets {
  readonly nodes: readonly string[];
  /** Key numbers; `0` is the plain plugin. */
  readonly keys: readonly string[];
}

const kindNames: readonly FaultKind[] = faultKinds.map(({ name }) => name);

const tried = (kind: string): string => `set fault ${kind}`;

/** @throws UsageFailure that lists the fields of the kind, or what a field may be */
const checkedFault = (kind: FaultKind, fields: object): BackendFault => {
  const found = backendFaultSchema.safeParse({ kind, ...fields });
  if (found.success) return found.data;
  const own = faultKinds.find(({ name }) => name === kind)?.fields ?? [];
  const known = own.map(({ name, required }) => `${optionOf(name)}${required ? '' : ' (if you like)'}`);
  throw new UsageFailure({
    tried: tried(kind),
    got: faultProblem(found.error),
    next: `${kind} takes ${[...known, '--key', '--node', '--for', '--name'].join(', ')}`,
  });
};

/** `perSecond` → `--per-second`. */
const optionOf = (field: string): string => `--${field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/**
 * The fault that options ask for, as the KMSBackend takes it.
 * @param now milliseconds since the epoch
 * @throws UsageFailure that lists what is valid
 */
export const faultFrom = (kindName: string, options: FaultOptions, now: number): BackendFault => {
  const kind = wordOption('the kind of fault', kindName, kindNames);
  const lasts = options.for === undefined ? undefined : durationOption('--for', options.for);
  if (lasts !== undefined && lasts > longestFaultMs) {
    throw new UsageFailure({
      tried: tried(kind),
      got: `--for ${options.for} is too long`,
      next: `give ${longestFaultMs / 3_600_000}h at most, or leave it out and clear the fault when you are done`,
    });
  }
  const { node, code, message, method } = options;
  const numbers = { key: options.key, milliseconds: options.milliseconds, perSecond: options.perSecond };
  const parsed = Object.entries(numbers).flatMap(([field, text]) =>
    text === undefined ? [] : [[field, numberOption(optionOf(field), text)] as const],
  );
  const texts = Object.entries({ node, code, message, method }).filter(([, text]) => text !== undefined);
  return checkedFault(kind, {
    ...Object.fromEntries(parsed),
    ...Object.fromEntries(texts),
    ...(lasts !== undefined && { until: new Date(now + lasts).toISOString() }),
  });
};

/** Key numbers that plugins have, or that a key secret gives them. */
const keysOf = (objects: EncryptionObjects): readonly string[] => {
  const served = Object.values(objects.backend?.status.nodes ?? {}).flatMap(({ keys }) => Object.keys(keys));
  const wanted = encryptionStatus(objects).keys.flatMap(({ id, mode }) => (mode === 'KMS' ? [id] : []));
  return [...new Set(['0', ...served, ...wanted])].sort((one, other) => Number(one) - Number(other));
};

export const faultTargets = (objects: EncryptionObjects, nodes: readonly string[]): FaultTargets => ({
  nodes,
  keys: keysOf(objects),
});

/** @throws UsageFailure where a fault is about a node or key that is not there */
export const checkTargets = ({ kind, node, key }: BackendFault, { nodes, keys }: FaultTargets): void => {
  if (node !== undefined && !nodes.includes(node)) {
    throw new UsageFailure({
      tried: tried(kind),
      got: `there is no control-plane node '${node}'`,
      next: `name one of ${nodes.join(', ')}`,
    });
  }
  if (key !== undefined && !keys.includes(String(key))) {
    throw new UsageFailure({
      tried: tried(kind),
      got: `there is no KMS key ${key}`,
      next: `name one of ${keys.join(', ')}; 0 is the plugin without a key number`,
    });
  }
};

/** Whether a fault's time is over: the plugin has forgotten it, the object has not. */
export const hasEnded = ({ until }: FaultObject, now: number): boolean =>
  until !== undefined && Date.parse(until) <= now;

type Faults = BackendObject['spec']['faults'];

const endedFaults = (faults: Faults, now: number): readonly string[] =>
  Object.entries(faults).flatMap(([name, fault]) => (hasEnded(fault, now) ? [name] : []));

const removal = (names: readonly string[]): Readonly<Record<string, null>> =>
  Object.fromEntries(names.map((name) => [name, null]));

/** The user's name for a fault, or the kind and a number, so that no other fault goes by it. @throws UsageFailure */
export const faultName = (kind: FaultKind, wanted: string | undefined, faults: Faults, now: number): string => {
  if (wanted !== undefined) {
    const found = faultSchema.safeParse({ kind: 'hang', name: wanted });
    if (found.success) return wanted;
    throw new UsageFailure({ tried: tried(kind), got: `--${faultProblem(found.error)}`, next: 'choose another name' });
  }
  const isFree = (name: string): boolean => faults[name] === undefined || hasEnded(faults[name], now);
  for (let number = 1; ; number++) {
    const name = number === 1 ? kind : `${kind}-${number}`;
    if (isFree(name)) return name;
  }
};

/** The merge patch of `spec.faults` that sets a fault whole, and forgets those that have ended. */
export const settingPatch = (faults: Faults, name: string, fault: BackendFault, now: number): object => ({
  ...removal(endedFaults(faults, now)),
  // A merge patch would keep what a fault of that name had and this one has not.
  [name]: { ...removal(Object.keys(faults[name] ?? {})), ...fault },
});

/** Which faults go when one of a name, or all, are cleared. @throws UsageFailure where there is none of that name */
export const clearing = (faults: Faults, name: string | undefined): readonly string[] => {
  if (name === undefined) return Object.keys(faults);
  if (faults[name] !== undefined) return [name];
  const known = Object.keys(faults);
  throw new UsageFailure({
    tried: `clear fault '${name}'`,
    got: `there is none of that name`,
    next: known.length === 0 ? 'there is no fault at all' : `name one of ${known.join(', ')}`,
  });
};

/** The merge patch of `spec.faults` that removes some, and those that have ended. */
export const clearingPatch = (faults: Faults, names: readonly string[], now: number): object =>
  removal([...new Set([...names, ...endedFaults(faults, now)])]);

/** A fault as it is listed. */
export interface ListedFault extends FaultObject {
  readonly name: string;
  readonly state: 'active' | 'ended';
}

export const listFaults = (backend: BackendObject | undefined, now: number): readonly ListedFault[] =>
  Object.entries(backend?.spec.faults ?? {}).map(([name, fault]) => ({
    name,
    state: hasEnded(fault, now) ? 'ended' : 'active',
    ...fault,
  }));

/** Time left, in words: `42s left`, `ended`, `until cleared`. */
export const timeLeft = ({ until }: FaultObject, now: number): string => {
  if (until === undefined) return 'until cleared';
  const seconds = Math.ceil((Date.parse(until) - now) / 1000);
  if (seconds <= 0) return 'ended';
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s left` : `${minutes}m${String(seconds % 60).padStart(2, '0')}s left`;
};

const nodeAndKey: readonly string[] = ['name', 'state', 'kind', 'key', 'node', 'until'];

/** A line on a fault: what, where, how long. */
export const faultText = (fault: ListedFault, now: number): string => {
  const { name, kind, key, node } = fault;
  const own = Object.entries(fault).flatMap(([field, value]) =>
    nodeAndKey.includes(field) ? [] : [`${field} ${String(value)}`],
  );
  const where = `${key === undefined ? 'every key' : `key ${key}`}, ${node ?? 'every node'}`;
  return [name, [kind, ...own].join(' '), where, timeLeft(fault, now)].join('  ');
};

/** Nodes that have not yet been told of a generation of the backend. */
export const nodesBehind = (
  backend: BackendObject | undefined,
  nodes: readonly string[],
  generation: number,
): readonly string[] => nodes.filter((node) => (backend?.status.nodes[node]?.observedGeneration ?? -1) < generation);
