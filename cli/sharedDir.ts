import { mkdtemp, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, messageOf, UsageFailure } from '../common/failure.ts';
import { writeFileWhole } from '../common/files.ts';
import { isCloud } from '../infra/cloudSettings.ts';
import { patiently, withClusterObjects } from './clusterObjects.ts';
import { rememberedKms } from './encryption/kms.ts';
import { apiServerObject, paths } from './encryption/objects.ts';
import type { Stack } from './stack.ts';

/** Where the plugin is, as `infra/KmsPlugin.ts` has it: what OpenShift's step registry leaves for the steps after it. */
const pluginFiles: Readonly<Record<string, string>> = {
  // A path without unix://, which the steps that read it write before it.
  'kms-plugin-socket-path': '/var/run/kmsplugin/socket.sock',
  'kms-plugin-namespace': 'openshift-kms-plugin',
  'kms-plugin-version': 'v2',
};

/** Where OpenShift's own suite looks for the reference of the plugin's image. */
const imageFile = 'vault-kms-plugin-image';

/** The folder in which steps of an OpenShift CI job leave files for each other; undefined outside of such a job. */
const sharedDir = (): string | undefined => process.env.SHARED_DIR || undefined;

/** @throws UsageFailure where SHARED_DIR is set and is no folder, or one that takes no files */
export const checkSharedDir = async (): Promise<void> => {
  const dir = sharedDir();
  if (dir === undefined) return;
  const tried = `leave files for other steps in SHARED_DIR ${dir}`;
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new UsageFailure({ tried, got: 'it is no folder', next: 'make it, or unset SHARED_DIR' });
  }
  try {
    // Rights alone do not tell: root has them on a file system that is mounted read-only, too.
    await rmdir(await mkdtemp(join(dir, '.understudy-')));
  } catch (error) {
    const next = 'let it be a folder that takes files, or unset SHARED_DIR';
    throw new UsageFailure({ tried, got: messageOf(error), next, cause: error });
  }
};

/** Tells the steps of a job where the plugin is; each file is written whole. */
export const writePluginFiles = async (): Promise<void> => {
  const dir = sharedDir();
  if (dir === undefined) return;
  for (const [name, value] of Object.entries(pluginFiles)) await writeFileWhole(join(dir, name), `${value}\n`, 0o644);
};

/** Leaves what other steps need to know of the plugin. */
export const fillSharedDir = async (stack: Stack): Promise<void> => {
  const dir = sharedDir();
  if (dir === undefined) return;
  await withClusterObjects(stack, `tell other steps of the KMS plugin of stack ${stack.name}`, async (objects) => {
    const apiServer = await patiently(() => objects.read(paths.apiServer, apiServerObject));
    const image = apiServer && rememberedKms(apiServer)?.vault?.kmsPluginImage;
    if (typeof image === 'string') await writeFileWhole(join(dir, imageFile), image, 0o644);
  });
  // A sidecar's socket is in kube-apiserver's pod alone.
  const { platform, cloud } = stack.settings;
  if (!isCloud(platform) || cloud.deployment === 'daemonset') await writePluginFiles();
};

/**
 * Takes back what `up` left for other steps. A folder that went with its job is no reason to fail.
 * @returns those of the files that could not be removed, and why
 */
export const clearSharedDir = async (): Promise<readonly string[]> => {
  const dir = sharedDir();
  if (dir === undefined) return [];
  const left: string[] = [];
  for (const path of [...Object.keys(pluginFiles), imageFile].map((name) => join(dir, name))) {
    try {
      await rm(path, { force: true });
    } catch (error) {
      if (!hasCode(error, 'ENOTDIR')) left.push(`file ${path} (${messageOf(error)})`);
    }
  }
  return left;
};
