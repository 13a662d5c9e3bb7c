import { text } from 'node:stream/consumers';
import { boxPid } from '../../cluster/box.ts';
import { boxPrograms } from '../../cluster/boxRoot.ts';
import { importIntoBox } from '../../cluster/importIntoBox.ts';
import { inspectCluster } from '../../cluster/inspect.ts';
import { kubernetesNodesOf } from '../../cluster/plan.ts';
import { waitFor } from '../../common/waitFor.ts';
import { findImage } from '../../image/load.ts';
import { pushImage } from '../../image/push.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import { loadKindImage } from '../kind/loadImage.ts';
import { parseRegistryCredentials } from '../registryCredentials.ts';
import { clusterDirOf, loadStack } from '../stack.ts';
import { progress } from './progress.ts';

const boxesWithinMs = 20_000;

/** The first processes of the boxes of a cluster's nodes, which may just be starting, or becoming more or fewer. */
const waitForBoxes = (
  name: string,
  count: number,
): Promise<readonly { readonly node: string; readonly pid: number }[]> =>
  waitFor(
    async () => {
      const state = await inspectCluster(clusterDirOf(name));
      if (state === undefined) throw new Error(`there is no cluster ${name}`);
      const nodes = kubernetesNodesOf(state.plan);
      if (nodes.length !== count) throw new Error(`cluster ${name} has ${nodes.length} nodes, not ${count} yet`);
      return Promise.all(
        nodes.map(async (node) => {
          const pid = await boxPid(state.plan.id, node.name);
          if (pid === undefined) throw new Error(`the box of ${node.name} does not run`);
          return { node: node.name, pid };
        }),
      );
    },
    { what: `the boxes of cluster ${name}`, timeoutMs: boxesWithinMs, next: `run 'understudy up ${name}'` },
  );

/** Puts an image on all nodes of a cluster; may run while the cluster starts. */
export const loadImage = async (name: string, reference: string, nodeCount: number): Promise<void> => {
  const stack = await loadStack(name);
  if (stack.settings.platform === 'kind') {
    return loadKindImage(stack, await findImage(reference), nodeCount, progress);
  }
  // All programs: boxes start only once those are there, which takes minutes where they have to be built.
  const [image, { ctr }] = await Promise.all([findImage(reference), ensurePrograms(boxPrograms, progress)]);
  const boxes = await waitForBoxes(name, nodeCount);
  await Promise.all(
    boxes.map(({ node, pid }) => progress.phase(`image ${reference} on ${node}`, () => importIntoBox(ctr, pid, image))),
  );
};

/** Pushes an image of ours; the registry's credentials, if any, come from standard input. Prints the reference by digest. */
export const pushImageTo = async (reference: string, repository: string): Promise<void> => {
  const credentials = await text(process.stdin);
  const [image, { crane }] = await Promise.all([findImage(reference), ensurePrograms(['crane'], progress)]);
  const checked = credentials === '' ? undefined : parseRegistryCredentials(credentials);
  const pushed = await progress.phase(`push ${repository}`, () => pushImage(crane, image, repository, checked));
  process.stdout.write(pushed);
};
