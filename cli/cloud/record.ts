import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readFileIfThere, writeFileWhole } from '../../common/files.ts';

const cloudRecord = z.object({
  clusterID: z.string(),
  /** How the cluster was encrypted before the stack was there. */
  encryptionBefore: z.enum(['KMS', 'aescbc', 'aesgcm', 'identity']),
});

/** What is kept of the cluster that a stack is up on: from the first check on, until all of it is gone. */
export type CloudRecord = z.infer<typeof cloudRecord>;

const recordPath = (clusterDir: string): string => join(clusterDir, 'cloud.json');

/** @returns undefined where the stack is not up from this machine, or the file is cut short */
export const readCloudRecord = async (clusterDir: string): Promise<CloudRecord | undefined> => {
  try {
    return cloudRecord.parse(JSON.parse((await readFileIfThere(recordPath(clusterDir))) ?? ''));
  } catch {
    return undefined;
  }
};

export const writeCloudRecord = (clusterDir: string, record: CloudRecord): Promise<void> =>
  writeFileWhole(recordPath(clusterDir), `${JSON.stringify(record, null, 2)}\n`);

export const removeCloudRecord = (clusterDir: string): Promise<void> =>
  rm(clusterDir, { recursive: true, force: true });
