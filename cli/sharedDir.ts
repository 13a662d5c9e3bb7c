import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageFailure } from '../common/failure.ts';
import { writeFileWhole } from '../common/files.ts';
import { patiently, withClusterObjects } from './clusterObjects.ts';
import { rememberedKms } from './encryption/kms.ts';
import { apiServerObject, paths } from './encryption/objects.ts';
import type { Stack } from './stack.ts';

/** The folder in which steps of an OpenShift CI job leave files for each other; undefined outside of such a job. */
const sharedDir = (): string | undefined => process.env.SHARED_DIR || undefined;

/** @throws UsageFailure where SHARED_DIR is set and is no folder */
export const checkSharedDir = async (): Promise<void> => {
  const dir = sharedDir();
  if (dir === undefined) return;
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new UsageFailure({
    tried: `leave files for other steps in SHARED_DIR ${dir}`,
    got: 'it is no folder',
    next: 'make it, or unset SHARED_DIR',
  });
};

/** Leaves the reference of the plugin's image where OpenShift's own suite looks for it. */
export const fillSharedDir = async (stack: Stack): Promise<void> => {
  const dir = sharedDir();
  if (dir === undefined) return;
  await withClusterObjects(stack, `tell other steps of the KMS plugin of stack ${stack.name}`, async (objects) => {
    const apiServer = await patiently(() => objects.read(paths.apiServer, apiServerObject));
    const image = apiServer && rememberedKms(apiServer)?.vault?.kmsPluginImage;
    if (typeof image === 'string') await writeFileWhole(join(dir, 'vault-kms-plugin-image'), image, 0o644);
  });
};
