import type { Progress } from '../../common/progress.ts';
import { findEngine } from '../../kind/cluster/engine.ts';
import { readKindRecord } from '../../kind/cluster/record.ts';
import { removeKindCluster } from '../../kind/cluster/start.ts';
import type { Stack } from '../stack.ts';

/**
 * Removes the kind cluster of a stack, whatever became of it.
 * @returns whether there was anything
 * @throws Failure where its engine does not answer
 */
export const removeKindOf = async (
  { name, clusterDir }: Pick<Stack, 'name' | 'clusterDir'>,
  progress: Progress,
): Promise<boolean> => {
  const record = await readKindRecord(clusterDir);
  // Without a record there is most likely nothing, and so nothing that an engine is needed for.
  const engine = record?.engine ?? (await findEngine(undefined).catch(() => undefined));
  return engine === undefined ? false : removeKindCluster(name, clusterDir, engine, progress);
};
