import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { removeCluster } from '../../cluster/remove.ts';
import { startCluster } from '../../cluster/start.ts';
import { gatherSupplies } from '../../cluster/supplies.ts';
import { stackSettings } from '../../infra/settings.ts';
import { parseRegistryCredentials } from '../registryCredentials.ts';
import { requireRoot } from '../root.ts';
import { clusterDirOf } from '../stack.ts';
import { printStarted } from '../startedCluster.ts';
import { progress } from './progress.ts';

const clusterShape = stackSettings
  .pick({ controlPlanes: true, workers: true, egress: true, openshift: true })
  .extend({ registryCredentials: z.string().transform(parseRegistryCredentials).optional() });

/** Reads the cluster's shape, and its secret, from standard input as JSON; prints how to reach it as JSON. */
export const startLocal = async (name: string): Promise<void> => {
  requireRoot(`make cluster ${name}`);
  const { registryCredentials, ...shape } = clusterShape.parse(JSON.parse(await text(process.stdin)));
  const dir = clusterDirOf(name);
  const supplies = { ...(await gatherSupplies(progress)), registryCredentials };
  const access = await startCluster({ name, ...shape }, dir, supplies, progress);
  printStarted(access, supplies.pauseImage.reference);
};

export const removeLocal = (name: string): Promise<void> => removeCluster(clusterDirOf(name), progress);
