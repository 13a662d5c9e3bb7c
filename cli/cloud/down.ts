import { rm } from 'node:fs/promises';
import { readOpenShift } from '../../cloud/observe.ts';
import { Failure } from '../../common/failure.ts';
import type { Progress } from '../../common/progress.ts';
import { patiently, withClusterObjects } from '../clusterObjects.ts';
import { destroy } from '../destroy.ts';
import { concludeDown } from '../down.ts';
import { type ApiServerObject, apiServerObject, kmsAnnotation, paths } from '../encryption/objects.ts';
import { prepareEngineHome, removeState } from '../engineHome.ts';
import { exclusively } from '../exclusive.ts';
import { type OutputOptions, progressFor } from '../output.ts';
import { restoreEncryption } from '../restoreEncryption.ts';
import { clearSharedDir } from '../sharedDir.ts';
import type { Stack } from '../stack.ts';
import { withCloud } from './connection.ts';
import { readCloudRecord, removeCloudRecord } from './record.ts';
import { leftInCloud, sweepCloud } from './sweep.ts';

const decryptedWithin = '90m';

/** @throws Failure where the kubeconfig is that of another cluster than the stack is up on */
const requireSameCluster = async (stack: Stack, tried: string): Promise<void> => {
  const record = await readCloudRecord(stack.clusterDir);
  if (record === undefined) return;
  await withCloud(stack, tried, async (client, path) => {
    const found = await readOpenShift(client, AbortSignal.timeout(20_000));
    if (found?.clusterID === record.clusterID) return;
    throw new Failure({
      tried,
      got: `it is up on cluster ${record.clusterID}, and ${path} is of ${found?.clusterID ?? 'one that is no OpenShift'}`,
      next: 'let KUBECONFIG, or understudy:cloud.kubeconfig, name an administrator of that cluster',
    });
  });
};

/** Whether a stack's plugin is what the cluster is asked to encrypt with, or has been. */
const hasOurMark = ({ metadata, spec }: ApiServerObject, registry: string): boolean => {
  const image = spec.encryption.kms?.vault?.kmsPluginImage;
  return kmsAnnotation in metadata.annotations || (typeof image === 'string' && image.startsWith(`${registry}/`));
};

/** What the engine's own deletion of the stack would have done first, where it has lost its state. */
const undoEncryption = async (stack: Stack, tried: string, progress: Progress): Promise<void> => {
  const record = await readCloudRecord(stack.clusterDir);
  const apiServer = await withClusterObjects(stack, tried, (objects) =>
    patiently(() => objects.read(paths.apiServer, apiServerObject)),
  );
  const { registry = '' } = stack.settings.cloud;
  if (apiServer === undefined || (record === undefined && !hasOurMark(apiServer, registry))) return;
  const before = record?.encryptionBefore ?? 'identity';
  await restoreEncryption(stack, before, { timeout: decryptedWithin, progress });
};

/** Removes what the stack made in its cluster, and nothing else. Safe to repeat; nothing is forgotten before it is gone. */
export const downCloud = async (stack: Stack, options: OutputOptions): Promise<void> => {
  const begin = performance.now();
  const progress = progressFor(options);
  const tried = `remove stack ${stack.name} from its cluster`;
  await exclusively(stack, progress, async () => {
    await requireSameCluster(stack, tried);
    const wasThere =
      (await readCloudRecord(stack.clusterDir)) !== undefined ||
      (await withCloud(stack, tried, (client) => leftInCloud(client, stack.name))).length > 0;
    const known = await destroy(stack, progress);
    if (known !== 'done') {
      if (wasThere) progress.note(`the engine has no usable state of stack ${stack.name}: removing it without`);
      await undoEncryption(stack, tried, progress);
    }
    const left = await withCloud(stack, tried, (client) => sweepCloud(client, stack.name));
    if (left.length === 0) {
      const { stateDir } = await prepareEngineHome();
      if (stateDir !== undefined) await removeState(stateDir, stack.name);
      await rm(stack.workDir, { recursive: true, force: true });
      await removeCloudRecord(stack.clusterDir);
      await rm(stack.lockPath, { force: true });
    }
    concludeDown(stack, options, { begin, wasThere, left: [...left, ...(await clearSharedDir())] });
  });
};
