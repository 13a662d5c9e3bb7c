import { patiently, withClusterObjects } from './clusterObjects.ts';
import { encryptStack } from './encrypt.ts';
import { forgettingPatch } from './encryption/kms.ts';
import { paths } from './encryption/objects.ts';
import type { EncryptionMode } from './encryption/state.ts';
import type { Stack } from './stack.ts';

/** Has everything stored as it was before the stack, and takes back what keeps the KMS configuration of the stack in mind. */
export const restoreEncryption = async (
  stack: Stack,
  before: EncryptionMode,
  patience: Parameters<typeof encryptStack>[2],
): Promise<void> => {
  await encryptStack(stack, before, patience);
  const tried = `forget the KMS configuration of stack ${stack.name}`;
  await withClusterObjects(stack, tried, (objects) => patiently(() => objects.patch(paths.apiServer, forgettingPatch)));
};
