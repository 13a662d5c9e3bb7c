import { join } from 'node:path';
import { withLock } from '../../common/lock.ts';
import type { Progress } from '../../common/progress.ts';
import { waitFor } from '../../common/waitFor.ts';
import type { BuiltImage } from '../../image/build.ts';
import { imageArchive } from '../../image/load.ts';
import type { EngineName } from '../../kind/cluster/engine.ts';
import { inNode, type KindNode, kubernetesNodes, listNodes } from '../../kind/cluster/nodes.ts';
import { readKindRecord } from '../../kind/cluster/record.ts';
import type { Stack } from '../stack.ts';

/** Long enough for a first cluster on a slow machine, with its image. */
const nodesWithinMs = 900_000;

const ctr = ['ctr', '--namespace', 'k8s.io'];

const loadInto = async (engine: EngineName, { name }: KindNode, image: BuiltImage, progress: Progress) => {
  const there = await inNode(engine, name, [...ctr, 'images', 'ls', '--quiet', `name==${image.reference}`]);
  if (there.trim() !== '') return;
  await progress.phase(`image ${image.reference} on ${name}`, async () => {
    const blobs = await inNode(engine, name, [...ctr, 'content', 'ls', '--quiet']);
    const archive = await imageArchive(image, new Set(blobs.split('\n')));
    await inNode(engine, name, [...ctr, 'images', 'import', '--local', '-'], archive);
  });
};

/**
 * Puts an image on all nodes of a kind cluster. It may run while the cluster is made: a node takes images as soon as its
 * container runs, and one that is made anew since gets it once more.
 */
export const loadKindImage = async (
  stack: Stack,
  image: BuiltImage,
  nodeCount: number,
  progress: Progress,
): Promise<void> => {
  const loaded = new Set<string>();
  const loadAll = async (engine: EngineName): Promise<true> => {
    const nodes = kubernetesNodes(await listNodes(engine, stack.name));
    if (nodes.length !== nodeCount) throw new Error(`${nodes.length} nodes of ${nodeCount}`);
    await Promise.all(
      nodes.map(async (node) => {
        if (loaded.has(node.id)) return;
        await loadInto(engine, node, image, progress);
        loaded.add(node.id);
      }),
    );
    return true;
  };
  const next = `run 'understudy up ${stack.name}'`;
  const early = async (): Promise<true> => {
    const record = await readKindRecord(stack.clusterDir);
    if (record === undefined) throw new Error(`kind cluster ${stack.name} is not begun yet`);
    return record.complete || loadAll(record.engine);
  };
  // One after the other: images have most of their layers in common, and each look at the nodes takes an engine's command.
  await withLock(join(stack.clusterDir, 'images.lock'), () =>
    waitFor(early, { what: `the nodes of ${stack.name}`, timeoutMs: nodesWithinMs, intervalMs: 1_000, next }),
  );
  const made = async () => {
    const record = await readKindRecord(stack.clusterDir);
    if (record?.complete !== true) throw new Error(`kind cluster ${stack.name} is not made yet`);
    return record;
  };
  const { engine } = await waitFor(made, {
    what: `kind cluster ${stack.name}`,
    timeoutMs: nodesWithinMs,
    intervalMs: 200,
    next,
  });
  await loadAll(engine);
};
