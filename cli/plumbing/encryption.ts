import { text } from 'node:stream/consumers';
import { waitFor } from '../../common/waitFor.ts';
import { isCloud } from '../../infra/cloudSettings.ts';
import { patiently, withClusterObjects } from '../clusterObjects.ts';
import { encryptStack } from '../encrypt.ts';
import { configurationPatch, modePatch } from '../encryption/kms.ts';
import { type ApiServerObject, apiServerObject, kmsBlock, paths } from '../encryption/objects.ts';
import type { EncryptionMode } from '../encryption/state.ts';
import { restoreEncryption } from '../restoreEncryption.ts';
import { loadStack, type Stack } from '../stack.ts';
import { progress } from './progress.ts';

const kindServedWithinMs = 20_000;

/**
 * Reads the KMS configuration that a patch to KMS is to name from standard input, and keeps it at the switch.
 * @param first the mode to ask for where nobody has asked for any yet
 */
export const configureKms = async (name: string, first: EncryptionMode | undefined): Promise<void> => {
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

export const encrypt = async (name: string, mode: EncryptionMode): Promise<void> => {
  const stack = await loadStack(name);
  await encryptStack(stack, mode, { timeout: encryptWithin(stack), progress });
};

/** Has everything stored as it was before the stack, and takes back what `configure-kms` left. */
export const undoEncryption = async (name: string, mode: EncryptionMode): Promise<void> => {
  const stack = await loadStack(name);
  await restoreEncryption(stack, mode, { timeout: encryptWithin(stack), progress });
};
