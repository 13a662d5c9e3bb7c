import { appendFile, chmod, copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exec } from '../../common/exec.ts';
import { type KindBaseName, nodePathOf } from '../../toolchain/kindBase.ts';
import { baseSpec, containerdConfiguration, type NodeImageParts, nodePrograms } from './recipe.ts';

/** Folders of units that a container has no use for; upstream: images/base/Dockerfile. */
const unwantedUnits: readonly { readonly folder: string; readonly pattern: RegExp }[] = [
  { folder: 'lib/systemd/system/sysinit.target.wants', pattern: /^systemd-tmpfiles-setup\.service$/ },
  { folder: 'lib/systemd/system/multi-user.target.wants', pattern: /./ },
  { folder: 'lib/systemd/system/local-fs.target.wants', pattern: /./ },
  { folder: 'lib/systemd/system/sockets.target.wants', pattern: /udev|initctl/ },
  { folder: 'lib/systemd/system/basic.target.wants', pattern: /./ },
];

const enabledUnits = ['kubelet.service', 'containerd.service', 'undo-mount-hacks.service'];

/** kind applies it to each new cluster; there is no storage driver without a registry. */
const storageManifest = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: standard
  annotations:
    storageclass.kubernetes.io/is-default-class: "true"
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
`;

const put = async (root: string, path: string, content: string, mode = 0o644): Promise<void> => {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
  await chmod(target, mode);
};

const putFile = async (root: string, path: string, from: string, mode: number): Promise<void> => {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(from, target);
  await chmod(target, mode);
};

const removeUnits = async (root: string): Promise<void> => {
  const inEtc = await readdir(join(root, 'etc/systemd/system'));
  const wants = inEtc.filter((name) => name.endsWith('.wants')).map((name) => `etc/systemd/system/${name}`);
  for (const { folder, pattern } of [...unwantedUnits, ...wants.map((folder) => ({ folder, pattern: /./ }))]) {
    const names = await readdir(join(root, folder)).catch(() => []);
    for (const name of names.filter((found) => pattern.test(found))) await rm(join(root, folder, name));
  }
};

/**
 * Makes a Debian at `root` a kind node: kind's files, the programs of a node, systemd's units. Without images.
 * @param version of Kubernetes, with a leading v
 */
export const furnishNode = async (
  root: string,
  { programs, kindBase }: NodeImageParts,
  version: string,
  pauseImage: string,
): Promise<void> => {
  for (const [name, from] of Object.entries(kindBase) as [KindBaseName, string][]) {
    const path = nodePathOf(name);
    const isScript = path.startsWith('/usr/local/bin/') || path.startsWith('/kind/bin/');
    await putFile(root, path, from, isScript ? 0o755 : 0o644);
  }
  await removeUnits(root);
  await appendFile(join(root, 'etc/systemd/journald.conf'), 'ReadKMsg=no\n');
  await rm(join(root, 'usr/sbin/init'), { force: true });
  await symlink('/usr/lib/systemd/systemd', join(root, 'usr/sbin/init'));
  const wants = join(root, 'etc/systemd/system/multi-user.target.wants');
  await mkdir(wants, { recursive: true });
  for (const unit of enabledUnits) await symlink(`/etc/systemd/system/${unit}`, join(wants, unit));
  // It would register with the whole machine's kernel.
  await symlink('/dev/null', join(root, 'etc/systemd/system/systemd-binfmt.service'));
  await mkdir(join(root, 'etc/kubernetes/manifests'), { recursive: true });

  for (const [name, path] of Object.entries(nodePrograms) as [keyof typeof nodePrograms, string][]) {
    await putFile(root, path, programs[name], 0o755);
  }
  const configuration = await readFile(kindBase['containerd-config.toml'], 'utf8');
  await put(root, '/etc/containerd/config.toml', containerdConfiguration(configuration, pauseImage));
  await put(root, '/etc/containerd/cri-base.json', baseSpec(await exec(programs.ctr, ['oci', 'spec'])));
  await put(root, '/kind/version', version);
  await put(root, '/kind/manifests/default-storage.yaml', storageManifest);
  // 'up' writes the configuration of the pods' network here.
  await mkdir(join(root, 'etc/cni/net.d'), { recursive: true });
};
