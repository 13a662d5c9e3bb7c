import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { startKindCluster } from '../../kind/cluster/start.ts';
import { gatherKindSupplies, kindSpecOf } from '../kind/cluster.ts';
import { removeKindOf } from '../kind/remove.ts';
import { parseRegistryCredentials } from '../registryCredentials.ts';
import { clusterDirOf, loadStack } from '../stack.ts';
import { printStarted } from '../startedCluster.ts';
import { progress } from './progress.ts';

/** What of standard input is used: the rest is in the stack's settings, and there so that a change of it is one. */
const given = z.object({ registryCredentials: z.string().transform(parseRegistryCredentials).optional() });

/** Makes the cluster of a stack, with the secret in the JSON of standard input; prints how to reach it as JSON. */
export const startKind = async (name: string): Promise<void> => {
  const stack = await loadStack(name);
  const { registryCredentials } = given.parse(JSON.parse(await text(process.stdin)));
  const supplies = { ...(await gatherKindSupplies(stack, progress)), registryCredentials };
  const { access, pauseImage } = await startKindCluster(kindSpecOf(stack), stack.clusterDir, supplies, progress);
  printStarted(access, pauseImage);
};

export const removeKind = async (name: string): Promise<void> => {
  await removeKindOf({ name, clusterDir: clusterDirOf(name) }, progress);
};
