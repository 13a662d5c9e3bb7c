import type { Progress } from '../../common/progress.ts';
import { waitFor } from '../../common/waitFor.ts';
import type { BuiltImage } from '../../image/build.ts';
import { imageArchive } from '../../image/load.ts';
import { inNode, kubernetesNodes, listNodes } from '../../kind/cluster/nodes.ts';
import { readKindRecord } from '../../kind/cluster/record.ts';
import { pauseImageOf, startKindCluster } from '../../kind/cluster/start.ts';
import { clusterDirOf, loadStack, type Stack } from '../stack.ts';
import { printStarted } from '../startedCluster.ts';
import { gatherKindSupplies, kindSpecOf } from './cluster.ts';
import { removeKindOf } from './remove.ts';

/** Makes the cluster of a stack; prints how to reach it as JSON. Its shape is in the stack's settings. */
export const startKindCommand = async (name: string, progress: Progress): Promise<void> => {
  const stack = await loadStack(name);
  const supplies = await gatherKindSupplies(stack, progress);
  const { access, nodes } = await startKindCluster(kindSpecOf(stack), stack.clusterDir, supplies, progress);
  const controlPlane = nodes.find(({ role }) => role === 'control-plane')?.name ?? '';
  printStarted(access, await pauseImageOf(supplies.engine, controlPlane));
};

export const removeKindCommand = async (name: string, progress: Progress): Promise<void> => {
  await removeKindOf({ name, clusterDir: clusterDirOf(name) }, progress);
};

/** Long enough for a first cluster on a slow machine, with its image. */
const nodesWithinMs = 900_000;

/** Puts an image on all nodes of a kind cluster; may run while the cluster starts. */
export const loadKindImage = async (
  stack: Stack,
  image: BuiltImage,
  nodeCount: number,
  progress: Progress,
): Promise<void> => {
  const nodes = await waitFor(
    async () => {
      const record = await readKindRecord(stack.clusterDir);
      if (record?.complete !== true) throw new Error(`kind cluster ${stack.name} is not made yet`);
      const found = kubernetesNodes(await listNodes(record.engine, stack.name));
      if (found.length !== nodeCount) throw new Error(`${found.length} nodes of ${nodeCount}`);
      return found.map(({ name }) => ({ name, engine: record.engine }));
    },
    {
      what: `the nodes of ${stack.name}`,
      timeoutMs: nodesWithinMs,
      intervalMs: 500,
      next: `run 'understudy up ${stack.name}'`,
    },
  );
  const ctr = ['ctr', '--namespace', 'k8s.io'];
  for (const { name, engine } of nodes) {
    const there = await inNode(engine, name, [...ctr, 'images', 'ls', '--quiet', `name==${image.reference}`]);
    if (there.trim() !== '') continue;
    await progress.phase(`image ${image.reference} on ${name}`, async () => {
      const blobs = await inNode(engine, name, [...ctr, 'content', 'ls', '--quiet']);
      const archive = await imageArchive(image, new Set(blobs.split('\n')));
      await inNode(engine, name, [...ctr, 'images', 'import', '--local', '-'], archive);
    });
  }
};
