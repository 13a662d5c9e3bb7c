import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import {
  type Bind,
  logFolder,
  renderLogRunFile,
  renderRunFile,
  shownKernelSettings,
  shownSettingPath,
} from './boxScripts.ts';
import { componentsOf } from './components.ts';
import { type Authorities, credentialFiles } from './credentials.ts';
import { encryptionConfigurationPath, forBooting, identityConfiguration } from './encryptionConfiguration.ts';
import { seedKeystore } from './keystore.ts';
import {
  cniConfiguration,
  containerdConfiguration,
  corefile,
  hostsFile,
  kubeletConfiguration,
  kubeProxyConfiguration,
  type MachineFacts,
  resolvConf,
} from './nodeConfiguration.ts';
import type { ClusterPlan, NodePlan } from './plan.ts';

/** Programs of a box by name, absolute paths on this machine. */
export type BoxPrograms = Readonly<Record<BoxProgram, string>>;

export const cniPlugins = ['ptp', 'host-local', 'loopback', 'portmap'] as const;
export const boxPrograms = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'coredns',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'runc',
  ...cniPlugins,
] as const;
export type BoxProgram = (typeof boxPrograms)[number];

export const nodeDir = (plan: ClusterPlan, node: string): string => join(plan.dir, 'nodes', node);
export const rootOf = (plan: ClusterPlan, node: string): string => join(nodeDir(plan, node), 'root');

/** Top-level folders of the machine that a box sees, where they exist; on most systems all but usr are links into it. */
const systemFolders = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
/** Parts of the machine's /etc that programs of /usr need. */
const systemFiles = ['etc/alternatives', 'etc/ld.so.cache', 'etc/ssl', 'etc/ca-certificates'];

const kindOf = async (path: string): Promise<'folder' | 'file' | 'link' | undefined> => {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) return 'link';
  return found.isDirectory() ? 'folder' : 'file';
};

/** A program's place in a box: a link in a folder of programs to a folder of its own. */
interface PlacedProgram {
  readonly link: string;
  readonly target: string;
  readonly bind: Bind;
}

/**
 * Folders are mounted, not files: runc starts itself from an overlay over its folder, and an overlay does not see a
 * mount on a file in it.
 */
const placePrograms = (programs: BoxPrograms): readonly PlacedProgram[] =>
  boxPrograms.map((name) => {
    const isCni = (cniPlugins as readonly string[]).includes(name);
    const folder = join('opt/understudy/programs', name);
    return {
      link: join(isCni ? 'opt/cni/bin' : 'opt/understudy/bin', name),
      target: join('/', folder, basename(programs[name])),
      bind: { from: dirname(programs[name]), to: folder },
    };
  });

const emptyFolders = [
  'dev',
  'proc',
  'sys',
  'run',
  'mnt',
  'root',
  'etc/kubernetes/manifests',
  'etc/kubernetes/encryption',
  'etc/cni/net.d',
  'opt/cni/bin',
  'opt/understudy/bin',
  'var/lib/etcd',
  'var/lib/kubelet',
  'var/lib/containerd',
  'var/log',
];

/** Makes the skeleton of a box's file system and says what of the machine is mounted into it. */
const layOutRoot = async (root: string, programs: BoxPrograms): Promise<readonly Bind[]> => {
  for (const folder of emptyFolders) await mkdir(join(root, folder), { recursive: true, mode: 0o755 });
  await chmod(join(root, 'var/lib/etcd'), 0o700);
  for (const folder of ['tmp', 'var/tmp']) {
    await mkdir(join(root, folder), { recursive: true });
    await chmod(join(root, folder), 0o1777);
  }
  if ((await kindOf(join(root, 'var/run'))) === undefined) await symlink('../run', join(root, 'var/run'));
  const binds: Bind[] = [];
  for (const name of [...systemFolders, ...systemFiles]) {
    const kind = await kindOf(`/${name}`);
    const at = join(root, name);
    if (kind === 'link') {
      await rm(at, { force: true });
      await symlink(await readlink(`/${name}`), at);
    } else if (kind !== undefined) {
      if (kind === 'folder') await mkdir(at, { recursive: true });
      else await writeFile(at, '');
      binds.push({ from: `/${name}`, to: name });
    }
  }
  for (const { link, target, bind } of placePrograms(programs)) {
    await rm(join(root, link), { force: true });
    await symlink(target, join(root, link));
    await mkdir(join(root, bind.to), { recursive: true });
    binds.push(bind);
  }
  return binds;
};

interface NodeFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

const text = (path: string, content: string): NodeFile => ({ path, content, mode: 0o644 });
const script = (path: string, content: string): NodeFile => ({ path, content, mode: 0o755 });

/** The files of a node that its components read when they start: what changes in them restarts the box. */
const configurationFiles = (plan: ClusterPlan, node: NodePlan, machine: MachineFacts): readonly NodeFile[] => [
  text('etc/kubernetes/kubelet.yaml', kubeletConfiguration(machine)),
  text('etc/kubernetes/kube-proxy.yaml', kubeProxyConfiguration(node, machine)),
  text('etc/containerd/config.toml', containerdConfiguration(machine)),
  text('etc/cni/net.d/10-understudy.conflist', cniConfiguration(node)),
  text('etc/coredns/Corefile', corefile(plan, node, machine)),
  text('etc/resolv.conf', resolvConf(plan)),
  ...componentsOf(plan, node).flatMap((component) => [
    script(`etc/understudy/services/${component.name}/run`, renderRunFile(component)),
    script(`etc/understudy/services/${component.name}/log/run`, renderLogRunFile(component)),
    ...(component.downSignal === undefined
      ? []
      : [text(`etc/understudy/services/${component.name}/down-signal`, `${component.downSignal}\n`)]),
    ...(component.startsDown === true ? [text(`etc/understudy/services/${component.name}/down`, '')] : []),
  ]),
];

/** A fingerprint of all that a running box was started with, its programs included. */
export const configurationDigest = (
  plan: ClusterPlan,
  node: NodePlan,
  machine: MachineFacts,
  programs: BoxPrograms,
): string =>
  createHash('sha256')
    .update(JSON.stringify([configurationFiles(plan, node, machine), programs, plan.spec.egress]))
    .digest('hex');

const digestPath = 'etc/understudy/configuration-digest';

export const startedDigest = (plan: ClusterPlan, node: NodePlan): Promise<string | undefined> =>
  readFileIfThere(join(rootOf(plan, node.name), digestPath));

/** Files that follow the cluster's membership; read anew by whoever uses them, so they change under a running box. */
export const writeMembershipFiles = (plan: ClusterPlan, node: NodePlan): Promise<void> =>
  writeFileWhole(join(rootOf(plan, node.name), 'etc/hosts'), hostsFile(plan), 0o644);

/** What is stored encrypted must stay readable: a box that starts again has the file with which it ended. */
const bootEncryptionConfiguration = async (root: string): Promise<string> => {
  const known = await readFileIfThere(join(root, encryptionConfigurationPath));
  return known === undefined ? identityConfiguration : forBooting(known);
};

/** Not flushed to the disk: these files are written anew at each start of the box. */
const writeFresh = async (path: string, file: NodeFile): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await rm(path, { force: true });
  await writeFile(path, file.content, { mode: file.mode });
};

/** Writes all that a box needs below its root and returns what of the machine is to be mounted there. */
export const prepareRoot = async (
  plan: ClusterPlan,
  node: NodePlan,
  machine: MachineFacts,
  programs: BoxPrograms,
  authorities: Authorities,
): Promise<readonly Bind[]> => {
  const root = rootOf(plan, node.name);
  const binds = await layOutRoot(root, programs);
  await rm(join(root, 'etc/understudy/services'), { recursive: true, force: true });
  const secret = (path: string, content: string): NodeFile => ({ path, content, mode: 0o600 });
  const files: readonly NodeFile[] = [
    ...configurationFiles(plan, node, machine),
    ...[...shownKernelSettings].map(([setting, value]) => text(shownSettingPath(setting), `${value}\n`)),
    text('etc/hostname', `${node.name}\n`),
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n'),
    text('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
    text('etc/nsswitch.conf', 'hosts: files dns\n'),
    ...(node.role === 'control-plane'
      ? [secret(encryptionConfigurationPath.slice(1), await bootEncryptionConfiguration(root))]
      : []),
    ...(await credentialFiles(plan, node, authorities)).map(([path, content]) =>
      secret(join('etc/kubernetes', path), content),
    ),
    text(digestPath, configurationDigest(plan, node, machine, programs)),
  ];
  await Promise.all(files.map((file) => writeFresh(join(root, file.path), file)));
  await writeMembershipFiles(plan, node);
  if (node.role === 'control-plane') await seedKeystore(root, authorities.keystore);
  for (const component of componentsOf(plan, node)) {
    await mkdir(dirname(join(root, logFolder(component.name), 'current')), { recursive: true });
  }
  return binds;
};
