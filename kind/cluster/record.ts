import { join } from 'node:path';
import { readFileIfThere, writeFileWhole } from '../../common/files.ts';
import { hasBalancer, type KindSpec } from './configuration.ts';
import type { EngineName } from './engine.ts';

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

/** How many containers a cluster has. */
export const containerCount = (spec: KindSpec): number =>
  spec.controlPlanes + spec.workers + (hasBalancer(spec) ? 1 : 0);
