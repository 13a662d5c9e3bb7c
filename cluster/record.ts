import { join } from 'node:path';
import { Failure } from '../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import type { ClusterSpec } from './plan.ts';

/** What of a cluster cannot be derived again, kept in `cluster.json`: what it was asked to be, and its network. */
export interface ClusterRecord {
  readonly spec: ClusterSpec;
  /** First three octets of its /24. */
  readonly network: string;
}

/** Held by whoever changes the cluster in this directory. */
export const clusterLock = (dir: string): string => `${dir}.lock`;

const recordPath = (dir: string): string => join(dir, 'cluster.json');

/** As in the file: a cluster that was made before there was a choice is not OpenShift's. */
interface StoredRecord extends Omit<ClusterRecord, 'spec'> {
  readonly spec: Omit<ClusterSpec, 'openshift'> & Partial<Pick<ClusterSpec, 'openshift'>>;
}

const isStoredRecord = (value: unknown): value is StoredRecord => {
  const record = value as Partial<StoredRecord> | null;
  return (
    typeof record === 'object' &&
    /^\d+\.\d+\.\d+$/.test(record?.network ?? '') &&
    typeof record?.spec?.name === 'string' &&
    typeof record.spec.controlPlanes === 'number' &&
    typeof record.spec.workers === 'number' &&
    typeof record.spec.egress === 'boolean' &&
    ['boolean', 'undefined'].includes(typeof record.spec.openshift)
  );
};

/** @returns undefined where the text is cut short or no record */
export const parseRecord = (text: string): ClusterRecord | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return isStoredRecord(value) ? { ...value, spec: { openshift: false, ...value.spec } } : undefined;
  } catch {
    return undefined;
  }
};

/**
 * @returns undefined where there is no cluster
 * @throws Failure where the file is damaged
 */
export const readRecord = async (dir: string): Promise<ClusterRecord | undefined> => {
  const text = await readFileIfThere(recordPath(dir));
  if (text === undefined) return undefined;
  const record = parseRecord(text);
  if (record !== undefined) return record;
  throw new Failure({
    tried: `read ${recordPath(dir)}`,
    got: 'it is cut short or was edited',
    next: "remove the cluster with 'understudy down' and make it anew with 'understudy up'",
  });
};

export const writeRecord = (dir: string, record: ClusterRecord): Promise<void> =>
  writeFileWhole(recordPath(dir), `${JSON.stringify(record, null, 2)}\n`);
