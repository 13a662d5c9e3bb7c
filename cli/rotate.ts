import { UsageFailure } from '../common/failure.ts';
import { ApiError, Unreachable } from '../providers/kubernetes/client.ts';
import { requireOwnCluster } from './cloud/ownCluster.ts';
import { type ClusterObjects, withClusterObjects } from './clusterObjects.ts';
import type { WaitOptions } from './encrypt.ts';
import { type EncryptionObjects, paths } from './encryption/objects.ts';
import { readAllEncryption, readEncryption, requireBackend } from './encryption/read.ts';
import { lookAtRotation, newestKekID, rotatableKeys } from './encryption/rotation.ts';
import { encryptionStatus } from './encryption/state.ts';
import { waitUntil } from './encryption/wait.ts';
import { interruptibly } from './interruption.ts';
import { printResult, progressFor } from './output.ts';
import type { Stack } from './stack.ts';
import { durationOption } from './values.ts';

export interface RotateOptions extends WaitOptions {
  /** Number of the key; the write key where left out. */
  readonly key?: string;
}

/** @throws UsageFailure where there is no such key, or none of mode KMS is in use */
const keyToRotate = (objects: EncryptionObjects, wanted: string | undefined, tried: string): string => {
  const status = encryptionStatus(objects);
  const keys = rotatableKeys(status);
  if (keys.length === 0) {
    throw new UsageFailure({
      tried,
      got: `no KMS key is in use; encryption is ${status.type}`,
      next: "run 'understudy encrypt KMS' first",
    });
  }
  const key = wanted ?? keys.find((id) => id === status.writeKey);
  if (key !== undefined && keys.includes(key)) return key;
  throw new UsageFailure({
    tried,
    got:
      wanted === undefined
        ? `the write key is ${status.writeKey ?? 'not set'}, no KMS key`
        : `key '${wanted}' is no KMS key in use`,
    next: `name one of them by --key: ${keys.join(', ')}`,
  });
};

const conflict = 409;

/**
 * Raises a key's version by one. Two who do so at the same time may come to the same version, and so may one whose
 * answer was lost.
 */
const raiseVersion = async (objects: ClusterObjects, key: string, tried: string): Promise<number> => {
  for (let wanted = 0; ; ) {
    const backend = await requireBackend(objects, tried);
    const version = backend.spec.keyVersions[key] ?? 1;
    wanted ||= version + 1;
    if (version >= wanted) return wanted;
    const { resourceVersion } = backend.metadata;
    try {
      await objects.patch(paths.backend, { metadata: { resourceVersion }, spec: { keyVersions: { [key]: wanted } } });
    } catch (error) {
      if (!(error instanceof Unreachable || (error instanceof ApiError && error.code === conflict))) throw error;
    }
  }
};

/** Gives a KMS key a new key-encryption key and waits until everything is stored under it. */
export const rotate = async (stack: Stack, options: RotateOptions): Promise<void> => {
  const timeoutMs = durationOption('--timeout', options.timeout);
  const tried = `rotate a key of stack ${stack.name}`;
  requireOwnCluster(stack, tried);
  await withClusterObjects(stack, tried, (objects) =>
    interruptibly(async (signal) => {
      const begin = performance.now();
      const progress = progressFor(options);
      const before = await readAllEncryption(objects, stack.name);
      const key = keyToRotate(before, options.key, tried);
      const version = await raiseVersion(objects, key, tried);
      progress.note(`asked for version ${version} of key ${key}`);
      let now = before;
      await waitUntil(
        async () => {
          now = await readEncryption(objects);
          return lookAtRotation(key, version, now);
        },
        {
          tried: `rotate key ${key} of stack ${stack.name} within ${options.timeout}`,
          timeoutMs,
          next: `'understudy status ${stack.name} --watch' shows how it goes on; see 'understudy logs kube-apiserver-operator ${stack.name}'`,
          goesOn: 'the operator goes on without this command, and nothing is lost',
          progress,
          signal,
        },
      );
      const seconds = Number(((performance.now() - begin) / 1000).toFixed(1));
      const [oldKekID, newKekID] = [before, now].map(({ backend }) => newestKekID(backend, key) ?? null);
      const result = { stack: stack.name, key, version, oldKekID, newKekID, seconds };
      printResult(
        options,
        result,
        [
          `Key ${key} is at version ${version} after ${seconds.toFixed(1)} s; nothing is stored under an older one.`,
          `  old key_id  ${oldKekID ?? 'unknown'}`,
          `  new key_id  ${newKekID ?? 'unknown'}`,
        ].join('\n'),
      );
    }),
  );
};
