import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readFileIfThere, writeFileWhole } from '../../common/files.ts';
import { hasBalancer, type KindSpec } from './configuration.ts';
import type { EngineName } from './engine.ts';
import type { KindNode } from './nodes.ts';

/** What of a cluster is kept beside it. */
export interface KindRecord {
  readonly spec: KindSpec;
  readonly engine: EngineName;
  readonly image: string;
  /** False from before the first container is made until all of kind's steps were done. */
  readonly complete: boolean;
  /** Whether the engine had no network `kind` before. */
  readonly madeNetwork: boolean;
  /** Of its containers by name, as they were when it was made. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** Once everything in it was as asked. */
  readonly settled?: Settled;
}

/** What tells that nothing needs to be looked at in the nodes: they have run since. */
export interface Settled {
  /** When its containers were started, by name. */
  readonly startedAt: Readonly<Record<string, string>>;
  /** Whether its kubelets were given registry credentials. */
  readonly credentials: boolean;
  /** Of pod sandboxes: a name that its nodes know. */
  readonly pauseImage: string;
}

/** The file of the cluster's directory that says what it was asked to be. */
const recordPath = (dir: string): string => join(dir, 'kind.json');

/** @returns undefined where nothing was begun, or the file is cut short */
export const readKindRecord = async (dir: string): Promise<KindRecord | undefined> => {
  try {
    return JSON.parse((await readFileIfThere(recordPath(dir))) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
};

export const writeKindRecord = (dir: string, record: KindRecord): Promise<void> =>
  writeFileWhole(recordPath(dir), `${JSON.stringify(record, null, 2)}\n`);

const numberOf = (address = ''): number => address.split('.').reduce((number, part) => number * 256 + Number(part), 0);

/**
 * Names of containers in the order to start them in: an engine gives the lowest address that is free, and members of etcd
 * must have theirs again.
 */
export const startingOrder = (names: readonly string[], { addresses = {} }: Pick<KindRecord, 'addresses'>) =>
  names.toSorted((a, b) => numberOf(addresses[a]) - numberOf(addresses[b]));

/** When each container was started, by name. */
export const startsOf = (nodes: readonly Pick<KindNode, 'name' | 'startedAt'>[]): Settled['startedAt'] =>
  Object.fromEntries(nodes.map(({ name, startedAt }) => [name, startedAt]));

/** What was settled, where all containers have run since and no registry credentials come or go. */
export const stillSettled = (
  settled: Settled | undefined,
  nodes: readonly Pick<KindNode, 'name' | 'startedAt' | 'running'>[],
  credentials: string | undefined,
): Settled | undefined => {
  const unchanged = nodes.every(({ running }) => running) && isDeepStrictEqual(settled?.startedAt, startsOf(nodes));
  return unchanged && credentials === undefined && settled?.credentials === false ? settled : undefined;
};

/** How many containers a cluster has. */
export const containerCount = (spec: KindSpec): number =>
  spec.controlPlanes + spec.workers + (hasBalancer(spec) ? 1 : 0);
