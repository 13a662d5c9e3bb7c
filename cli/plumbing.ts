import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { boxPid } from '../cluster/box.ts';
import { boxPrograms } from '../cluster/boxRoot.ts';
import { inspectCluster } from '../cluster/inspect.ts';
import { newKeystore } from '../cluster/keystore.ts';
import { kubernetesNodesOf } from '../cluster/plan.ts';
import { removeCluster } from '../cluster/remove.ts';
import { startCluster } from '../cluster/start.ts';
import { gatherSupplies, importIntoBox } from '../cluster/supplies.ts';
import { innerProgress } from '../common/progress.ts';
import { waitFor } from '../common/waitFor.ts';
import { findImage } from '../image/load.ts';
import { pushImage } from '../image/push.ts';
import { isCloud } from '../infra/cloudSettings.ts';
import { stackSettings } from '../infra/settings.ts';
import { ensurePrograms } from '../toolchain/index.ts';
import { checkCloud } from './cloud/check.ts';
import { patiently, withClusterObjects } from './clusterObjects.ts';
import { encryptStack } from './encrypt.ts';
import { configurationPatch, modePatch } from './encryption/kms.ts';
import { type ApiServerObject, apiServerObject, kmsBlock, paths } from './encryption/objects.ts';
import type { EncryptionMode } from './encryption/state.ts';
import { loadKindImage, removeKindCommand, startKindCommand } from './kind/plumbing.ts';
import { parseRegistryCredentials } from './registryCredentials.ts';
import { removeHollowNodes } from './removeHollowNodes.ts';
import { restoreEncryption } from './restoreEncryption.ts';
import { requireRoot } from './root.ts';
import { clusterDirOf, loadStack, type Stack } from './stack.ts';
import { printStarted } from './startedCluster.ts';

/** What the resources of the Pulumi program run. Their lines become the engine's log. */
const progress = innerProgress((line) => process.stderr.write(line));

const clusterShape = stackSettings
  .pick({ controlPlanes: true, workers: true, egress: true, openshift: true })
  .extend({ registryCredentials: z.string().transform(parseRegistryCredentials).optional() });

/** Reads the cluster's shape, and its secret, from standard input as JSON; prints how to reach it as JSON. */
export const startClusterCommand = async (name: string): Promise<void> => {
  requireRoot(`make cluster ${name}`);
  const { registryCredentials, ...shape } = clusterShape.parse(JSON.parse(await text(process.stdin)));
  const dir = clusterDirOf(name);
  const supplies = { ...(await gatherSupplies(progress)), registryCredentials };
  const access = await startCluster({ name, ...shape }, dir, supplies, progress);
  printStarted(access, supplies.pauseImage.reference);
};

export const removeClusterCommand = (name: string): Promise<void> => removeCluster(clusterDirOf(name), progress);

export const startKind = (name: string): Promise<void> => startKindCommand(name, progress);

export const removeKind = (name: string): Promise<void> => removeKindCommand(name, progress);

export const removeHollowNodesCommand = (name: string): Promise<void> => removeHollowNodes(name, progress);

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
export const loadImageCommand = async (name: string, reference: string, nodeCount: number): Promise<void> => {
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

const kindServedWithinMs = 20_000;

/**
 * Reads the KMS configuration that a patch to KMS is to name from standard input, and keeps it at the switch.
 * @param first the mode to ask for where nobody has asked for any yet
 */
export const configureKmsCommand = async (name: string, first: EncryptionMode | undefined): Promise<void> => {
  const kms = kmsBlock.parse(JSON.parse(await text(process.stdin)));
  const stack = await loadStack(name);
  const tried = `keep the KMS configuration of stack ${name}`;
  await withClusterObjects(stack, tried, async (objects) => {
    // Of several API servers, not all may serve the kind yet.
    const read = (): Promise<ApiServerObject> =>
      waitFor(() => objects.read(paths.apiServer, apiServerObject), {
        what: 'APIServer/cluster',
        timeoutMs: kindServedWithinMs,
        next: "see 'understudy logs kube-apiserver'",
      });
    const change = (patch: object): Promise<void> => patiently(() => objects.patch(paths.apiServer, patch));
    const before = await read();
    await change(configurationPatch(before, kms));
    const isUnasked = !before.spec.encryption.type;
    if (isUnasked && first !== undefined && first !== 'identity') await change(modePatch(await read(), first));
  });
};

/** Long enough for a cluster of OpenShift's load test; a roll-out of its API servers takes longer than a hand-over of ours. */
const encryptWithin = ({ settings }: Stack): string => (isCloud(settings.platform) ? '90m' : '30m');

export const encryptCommand = async (name: string, mode: EncryptionMode): Promise<void> => {
  const stack = await loadStack(name);
  await encryptStack(stack, mode, { timeout: encryptWithin(stack), progress });
};

/** Has everything stored as it was before the stack, and takes back what `configure-kms` left. */
export const undoEncryptionCommand = async (name: string, mode: EncryptionMode): Promise<void> => {
  const stack = await loadStack(name);
  await restoreEncryption(stack, mode, { timeout: encryptWithin(stack), progress });
};

/** Prints what the cluster is, as JSON, if it is one for the stack. */
export const checkCloudCommand = async (name: string): Promise<void> => {
  process.stdout.write(JSON.stringify(await checkCloud(await loadStack(name))));
};

/** Prints a keystore for the plugins of a cluster. */
export const makeKeystoreCommand = async (): Promise<void> => {
  process.stdout.write(newKeystore());
};

/** Pushes an image of ours; the registry's credentials, if any, come from standard input. Prints the reference by digest. */
export const pushImageCommand = async (reference: string, repository: string): Promise<void> => {
  const credentials = await text(process.stdin);
  const [image, { crane }] = await Promise.all([findImage(reference), ensurePrograms(['crane'], progress)]);
  const checked = credentials === '' ? undefined : parseRegistryCredentials(credentials);
  const pushed = await progress.phase(`push ${repository}`, () => pushImage(crane, image, repository, checked));
  process.stdout.write(pushed);
};
