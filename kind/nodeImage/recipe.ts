import { createHash } from 'node:crypto';
import type { BuiltImage } from '../../image/build.ts';
import type { ProgramName } from '../../toolchain/index.ts';
import type { KindBaseName } from '../../toolchain/kindBase.ts';

/** The release of Debian that a node is made of. */
export const debianSuite = 'bookworm';

/**
 * What debootstrap adds to a minimal Debian; after the list in kind's own images/base/Dockerfile, without what only storage
 * drivers need, and with HAProxy, of which the stand-in for kind's load balancer is made.
 */
export const debianPackages: readonly string[] = [
  'systemd',
  'iptables',
  'nftables',
  'iproute2',
  'conntrack',
  'ethtool',
  'kmod',
  'jq',
  'procps',
  'libseccomp2',
  'util-linux',
  'mount',
  'e2fsprogs',
  'ca-certificates',
  'haproxy',
];

/** Programs that a node runs by itself, and where kind and its units look for them. */
export const nodePrograms = {
  kubelet: '/usr/bin/kubelet',
  kubeadm: '/usr/bin/kubeadm',
  kubectl: '/usr/bin/kubectl',
  containerd: '/usr/local/bin/containerd',
  'containerd-shim-runc-v2': '/usr/local/bin/containerd-shim-runc-v2',
  ctr: '/usr/local/bin/ctr',
  runc: '/usr/local/sbin/runc',
  ptp: '/opt/cni/bin/ptp',
  'host-local': '/opt/cni/bin/host-local',
  loopback: '/opt/cni/bin/loopback',
  portmap: '/opt/cni/bin/portmap',
} as const satisfies Partial<Record<ProgramName, string>>;

/** Programs that run as pods of the control plane, and where kubeadm's manifests look for them in their images. */
export const podPrograms = {
  'kube-apiserver': '/usr/local/bin/kube-apiserver',
  'kube-controller-manager': '/usr/local/bin/kube-controller-manager',
  'kube-scheduler': '/usr/local/bin/kube-scheduler',
  'kube-proxy': '/usr/local/bin/kube-proxy',
  etcd: '/usr/local/bin/etcd',
  coredns: '/coredns',
  pause: '/pause',
} as const satisfies Partial<Record<ProgramName, string>>;

export type PodProgram = keyof typeof podPrograms;

export const imagePrograms = [...Object.keys(nodePrograms), ...Object.keys(podPrograms)] as (
  | keyof typeof nodePrograms
  | PodProgram
)[];

/** All that goes in: paths on this machine, and an image. */
export interface NodeImageParts {
  /** The layer that our services have in common, so that a node is sent only what is each one's own. */
  readonly serviceLayer: BuiltImage;
  readonly programs: Readonly<Record<(typeof imagePrograms)[number], string>>;
  readonly kindBase: Readonly<Record<KindBaseName, string>>;
}

/** To be raised with every change of what this folder does to the files: an older image is then not used again. */
const edition = 1;

/** What an image is kept under: the same for the same programs, files and packages. Their paths in the cache tell how each was made. */
export const nodeImageKey = ({ serviceLayer, programs, kindBase }: NodeImageParts): string => {
  const inputs = { edition, debianSuite, debianPackages, serviceLayer: serviceLayer.digest, programs, kindBase };
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 12);
};

/** The same of the Debian that is under it: it takes most of the time, and is not made again for another kubelet. */
export const debianKey = (arch: string): string =>
  createHash('sha256').update(JSON.stringify({ debianSuite, debianPackages, arch })).digest('hex').slice(0, 12);

/**
 * The program that an image of `kubeadm config images list` is of: `registry.k8s.io/coredns/coredns:v1.14.2` is coredns.
 * The tag is kubeadm's word for what it expects; the program in it has the toolchain's version.
 */
export const programOf = (image: string): string => image.slice(image.lastIndexOf('/') + 1).split(':')[0] ?? '';

/**
 * kind's configuration of a node's containerd with the sandbox image that is in the node, and made for machines whose
 * containers may not lower their oom_score_adj (CAP_SYS_RESOURCE): elsewhere it makes no difference to a test.
 * @throws Error where kind's file is not the one that this is written for
 */
export const containerdConfiguration = (kindConfiguration: string, pauseImage: string): string => {
  const withPause = kindConfiguration.replace(/sandbox_image = "[^"]*"/, `sandbox_image = "${pauseImage}"`);
  const result = withPause.replace('restrict_oom_score_adj = false', 'restrict_oom_score_adj = true');
  if (!result.includes(`"${pauseImage}"`) || !result.includes('restrict_oom_score_adj = true')) {
    throw new Error("kind's configuration of containerd has no sandbox_image or restrict_oom_score_adj");
  }
  return result;
};

/**
 * The OCI spec that all containers of a node begin with: containerd's default, with kind's hook and without limits.
 * Upstream: images/base/Dockerfile, 'ctr oci spec'.
 * @param spec what `ctr oci spec` prints
 */
export const baseSpec = (spec: string): string => {
  const parsed = JSON.parse(spec) as {
    process?: { rlimits?: unknown };
    hooks?: { createContainer?: readonly object[] };
  };
  const { rlimits: _rlimits, ...process } = parsed.process ?? {};
  const hooks = {
    ...parsed.hooks,
    createContainer: [...(parsed.hooks?.createContainer ?? []), { path: '/kind/bin/mount-product-files.sh' }],
  };
  return JSON.stringify({ ...parsed, process, hooks });
};
