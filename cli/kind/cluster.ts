import type { Progress } from '../../common/progress.ts';
import type { KindSpec } from '../../kind/cluster/configuration.ts';
import { findEngine } from '../../kind/cluster/engine.ts';
import { listNodes, refuseForeign } from '../../kind/cluster/nodes.ts';
import { readKindRecord } from '../../kind/cluster/record.ts';
import type { KindSupplies } from '../../kind/cluster/start.ts';
import { ensureNodeImage } from '../../kind/nodeImage/build.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import type { Stack } from '../stack.ts';

export const kindSpecOf = ({ name, settings }: Stack): KindSpec => {
  const { controlPlanes, workers, openshift, kind } = settings;
  return { stack: name, controlPlanes, workers, openshift, mounts: kind.mounts, ports: kind.ports };
};

/**
 * Gets together what a kind cluster is made of. The engine is asked first: without one, nothing need be built.
 * @throws Failure where no engine works, or a cluster of that name is somebody else's
 */
export const gatherKindSupplies = async (stack: Stack, progress: Progress): Promise<KindSupplies> => {
  const { engine: wanted, nodeImage } = stack.settings.kind;
  const engine = await findEngine(wanted);
  const record = await readKindRecord(stack.clusterDir);
  refuseForeign(await listNodes(engine, stack.name), stack.name, stack.clusterDir, record);
  const { kind } = await ensurePrograms(['kind'], progress);
  const image = nodeImage === undefined ? await ensureNodeImage(progress) : { reference: nodeImage };
  return { kind, engine, image };
};
