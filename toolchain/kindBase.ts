import type { Group } from './recipe.ts';

/** Of sigs.k8s.io/kind, as `modules/kind/go.mod` pins it. */
const version = '0.33.0';

/** What is below it has the paths of the node. */
const folder = 'images/base/files';

/** What makes a Debian a kind node, a file each: systemd's units, containerd's configuration, the entrypoint. */
export const kindBase = {
  name: 'kind-base',
  version,
  programs: [
    { name: 'crictl.yaml', isData: true },
    { name: 'containerd-config.toml', isData: true },
    { name: 'kubelet-defaults', isData: true },
    { name: '10-network-security.conf', isData: true },
    { name: '10-network-magic.conf', isData: true },
    { name: 'containerd.service', isData: true },
    { name: 'kubelet.service', isData: true },
    { name: '10-kubeadm.conf', isData: true },
    { name: '11-kind.conf', isData: true },
    { name: 'kubelet.slice', isData: true },
    { name: 'undo-mount-hacks.service', isData: true },
    { name: 'create-kubelet-cgroup-v2.sh', isData: true },
    { name: 'mount-product-files.sh', isData: true },
    { name: 'undo-mount-hacks.sh', isData: true },
    { name: 'entrypoint', isData: true },
  ],
  build: {
    kind: 'files',
    module: 'kind',
    goModule: 'sigs.k8s.io/kind',
    url: `https://raw.githubusercontent.com/kubernetes-sigs/kind/v${version}`,
    files: {
      'crictl.yaml': {
        path: `${folder}/etc/crictl.yaml`,
        sha256: '231011a922c4a5aeadcc0d6a14905b73062b2e3ac84c0680252649faa42c4cdf',
      },
      'containerd-config.toml': {
        path: `${folder}/etc/containerd/config.toml`,
        sha256: '8dcf97aade36701dd1051198754f390361426bb03ce3547c4753eb44f51286a6',
      },
      'kubelet-defaults': {
        path: `${folder}/etc/default/kubelet`,
        sha256: '73c6188ecb0c616fa8aa02a8419ead0d6761bb37bfc287ef5429a68d751b4c1b',
      },
      '10-network-security.conf': {
        path: `${folder}/etc/sysctl.d/10-network-security.conf`,
        sha256: '138cad118142e0adf3862cc0fd173793e4260317d11a61317d47eaf4bc8e9ef9',
      },
      '10-network-magic.conf': {
        path: `${folder}/etc/sysctl.d/10-network-magic.conf`,
        sha256: '641cf343e425617e0cf8b316daccd2aaf5e3944123b27c476173afa0104b504d',
      },
      'containerd.service': {
        path: `${folder}/etc/systemd/system/containerd.service`,
        sha256: '1a85b1c7d628daf54c3f86155cd0b2bd336394d5abaa03ba2ee87a08bbe25c22',
      },
      'kubelet.service': {
        path: `${folder}/etc/systemd/system/kubelet.service`,
        sha256: '593c1cf45c662c63c9c8ea653e71f075ca5aae7b2441c75f0d848e099176c267',
      },
      '10-kubeadm.conf': {
        path: `${folder}/etc/systemd/system/kubelet.service.d/10-kubeadm.conf`,
        sha256: 'ba4f82b8246e064de59fa5c575ae496553dcbff47843467b7d4abfa48fe8e1b2',
      },
      '11-kind.conf': {
        path: `${folder}/etc/systemd/system/kubelet.service.d/11-kind.conf`,
        sha256: '0d0d3f70479370d6d42f447217fdf9d323ef4a074a55979a7c7d01e0cce10e90',
      },
      'kubelet.slice': {
        path: `${folder}/etc/systemd/system/kubelet.slice`,
        sha256: 'de6db924145ccb47eaaf6b4330be6422316cf57866ca158c4b922cd64ff8746f',
      },
      'undo-mount-hacks.service': {
        path: `${folder}/etc/systemd/system/undo-mount-hacks.service`,
        sha256: '8c5c1394f48b3f7ac42e68978ebb5ba5a5dfedd72aaaca16a656f688fc5e99a9',
      },
      'create-kubelet-cgroup-v2.sh': {
        path: `${folder}/kind/bin/create-kubelet-cgroup-v2.sh`,
        sha256: '199144121bd2ff79f20736d786cf1b2fcec227e0cdc9697993d7a0e02495cb57',
      },
      'mount-product-files.sh': {
        path: `${folder}/kind/bin/mount-product-files.sh`,
        sha256: '78abf868c01046e85c39ed109a53a74705bced03feb1e524b68385f7d4b83edb',
      },
      'undo-mount-hacks.sh': {
        path: `${folder}/kind/bin/undo-mount-hacks.sh`,
        sha256: '110c26d6ac66f36d125ead118b7a23164925a7f6e1a822057c703b29112bd29b',
      },
      entrypoint: {
        path: `${folder}/usr/local/bin/entrypoint`,
        sha256: 'd9fce9a15f585727d51417225d548ffc301e1ff77a7517ead472e5e91873a1eb',
      },
    },
    packages: ['ca-certificates'],
  },
} as const satisfies Group;

export type KindBaseName = (typeof kindBase)['programs'][number]['name'];

export const kindBaseNames: readonly KindBaseName[] = kindBase.programs.map(({ name }) => name);

/** Where on a node a file of {@link kindBase} belongs: absolute. */
export const nodePathOf = (name: KindBaseName): string => kindBase.build.files[name].path.slice(folder.length);
