import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../common/exec.ts';
import { sha256Of } from '../../toolchain/download.ts';

/**
 * Config of a node image in Docker's format.
 * @see https://github.com/moby/moby/blob/master/image/spec/v1.2.md
 */
export const nodeConfig = (diffId: string, architecture: string): string =>
  JSON.stringify({
    architecture,
    os: 'linux',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'container=docker'],
      Entrypoint: ['/usr/local/bin/entrypoint', '/sbin/init'],
      // systemd ends on it, and starts itself again on SIGTERM.
      StopSignal: 'SIGRTMIN+3',
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
    history: [],
  });

/** The file that lists the images of an archive, as `docker save` writes and `docker load` and `podman load` read it. */
export const archiveManifest = (config: string, reference: string): string =>
  JSON.stringify([{ Config: config, RepoTags: [reference], Layers: ['layer.tar'] }]);

const sorted = [
  '--sort=name',
  '--numeric-owner',
  '--format=posix',
  '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
];

/**
 * Writes the files at `root` as an image that Docker and Podman load.
 * @param work a folder of this run alone on the file system of `path`
 */
export const writeArchive = async (
  root: string,
  work: string,
  path: string,
  reference: string,
  architecture: string,
): Promise<void> => {
  const folder = join(work, 'archive');
  await mkdir(folder, { recursive: true });
  const layer = join(folder, 'layer.tar');
  await exec('tar', [...sorted, '--xattrs', '-C', root, '-cf', layer, '.']);
  const config = nodeConfig(await sha256Of(layer), architecture);
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
  await writeFile(join(folder, configName), config);
  await writeFile(join(folder, 'manifest.json'), archiveManifest(configName, reference));
  const archive = join(work, 'image.tar');
  await exec('tar', [...sorted, '-C', folder, '-cf', archive, 'manifest.json', configName, 'layer.tar']);
  await rm(folder, { recursive: true });
  await rename(archive, path);
};
