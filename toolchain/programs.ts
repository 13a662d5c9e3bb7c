import type { Architecture, Group, Program } from './recipe.ts';

const kubernetes = '1.36.3';
const etcd = '3.7.3';
const containerd = '2.2.1';
const runc = '1.4.0';
const cniPlugins = '1.9.0';
const coredns = '1.14.7';
const pulumi = '3.246.0';
const pulumiKubernetes = '4.34.2';
const pulumiCommand = '1.2.1';
const ghz = '0.120.0';
const kwok = '0.8.0';
const kind = '0.33.0';
const crane = '0.22.1';
/** TAG of build/pause/Makefile in Kubernetes. */
const pause = '3.10.2';

const github = (repository: string, version: string, file: string): string =>
  `https://github.com/${repository}/releases/download/v${version}/${file}`;

const kube = <N extends string>(name: N, arch: Architecture, args: readonly string[], says: string) =>
  ({
    name,
    asks: { args, says: [says] },
    release: {
      url: `https://dl.k8s.io/release/v${kubernetes}/bin/linux/${arch}/${name}`,
      checksumsUrl: `https://dl.k8s.io/release/v${kubernetes}/bin/linux/${arch}/${name}.sha256`,
    },
    package: `k8s.io/kubernetes/cmd/${name}`,
  }) as const satisfies Program;

const cniPlugin = <N extends string>(name: N, arch: Architecture, folder: string) =>
  ({
    name,
    asks: { args: ['--version'], says: [`CNI ${name} plugin`] },
    release: {
      url: github('containernetworking/plugins', cniPlugins, `cni-plugins-linux-${arch}-v${cniPlugins}.tgz`),
      checksumsUrl: github(
        'containernetworking/plugins',
        cniPlugins,
        `cni-plugins-linux-${arch}-v${cniPlugins}.tgz.sha256`,
      ),
    },
    package: `github.com/containernetworking/plugins/plugins/${folder}/${name}`,
  }) as const satisfies Program;

/** The static release: the other one needs glibc 2.35, which Debian 11 lacks. */
const containerdProgram = <N extends string>(name: N, arch: Architecture, flag: string, says: string) => {
  const archive = github('containerd/containerd', containerd, `containerd-static-${containerd}-linux-${arch}.tar.gz`);
  return {
    name,
    asks: { args: [flag], says: [says] },
    release: { url: archive, checksumsUrl: `${archive}.sha256sum` },
    package: `github.com/containerd/containerd/v2/cmd/${name}`,
  } as const satisfies Program;
};

/** Every third-party program, in groups, the one that takes longest to build first: with the small ones at the end no core idles. */
export const groupsFor = (arch: Architecture) =>
  [
    {
      name: 'kubernetes',
      version: kubernetes,
      programs: [
        kube('kube-apiserver', arch, ['--version'], 'Kubernetes'),
        kube('kube-controller-manager', arch, ['--version'], 'Kubernetes'),
        kube('kube-scheduler', arch, ['--version'], 'Kubernetes'),
        kube('kubelet', arch, ['--version'], 'Kubernetes'),
        kube('kube-proxy', arch, ['--version'], 'Kubernetes'),
        kube('kubectl', arch, ['version', '--client'], 'Client Version:'),
        kube('kubeadm', arch, ['version', '-o', 'short'], 'v'),
        // Published in no release; it has the version of the Kubernetes that it is of.
        {
          name: 'kubemark',
          asks: { args: ['--version'], says: ['Kubernetes'] },
          package: 'k8s.io/kubernetes/cmd/kubemark',
        },
      ],
      build: {
        kind: 'go',
        module: 'kubernetes',
        cgo: false,
        tags: [],
        variables: {
          'k8s.io/component-base/version.gitVersion': `v${kubernetes}`,
          'k8s.io/component-base/version.gitMajor': kubernetes.split('.')[0] ?? '',
          'k8s.io/component-base/version.gitMinor': kubernetes.split('.')[1] ?? '',
        },
        packages: ['ca-certificates'],
      },
    },
    {
      name: 'pulumi',
      version: pulumi,
      programs: [
        {
          name: 'pulumi',
          asks: { args: ['version'], says: ['v'] },
          release: {
            url: github('pulumi/pulumi', pulumi, `pulumi-v${pulumi}-linux-${arch === 'amd64' ? 'x64' : arch}.tar.gz`),
            checksumsUrl: github('pulumi/pulumi', pulumi, `pulumi-${pulumi}-checksums.txt`),
          },
          package: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
        },
      ],
      build: {
        kind: 'go',
        module: 'pulumi',
        cgo: false,
        tags: [],
        variables: { 'github.com/pulumi/pulumi/sdk/v3/go/common/version.Version': `v${pulumi}` },
        packages: ['ca-certificates'],
      },
    },
    {
      name: 'coredns',
      version: coredns,
      programs: [
        {
          name: 'coredns',
          asks: { args: ['-version'], says: ['CoreDNS-'] },
          release: {
            url: github('coredns/coredns', coredns, `coredns_${coredns}_linux_${arch}.tgz`),
            checksumsUrl: github('coredns/coredns', coredns, `coredns_${coredns}_linux_${arch}.tgz.sha256`),
          },
          package: 'github.com/coredns/coredns',
        },
      ],
      build: { kind: 'go', module: 'coredns', cgo: false, tags: [], variables: {}, packages: ['ca-certificates'] },
    },
    {
      name: 'containerd',
      version: containerd,
      programs: [
        containerdProgram('containerd', arch, '--version', 'github.com/containerd/containerd/v2'),
        containerdProgram('containerd-shim-runc-v2', arch, '-v', 'containerd-shim-runc-v2:'),
        containerdProgram('ctr', arch, '--version', 'github.com/containerd/containerd/v2'),
      ],
      build: { kind: 'go', module: 'containers', cgo: false, tags: [], variables: {}, packages: ['ca-certificates'] },
    },
    {
      name: 'etcd',
      version: etcd,
      programs: [
        {
          name: 'etcd',
          asks: { args: ['--version'], says: ['etcd Version:'] },
          release: {
            url: github('etcd-io/etcd', etcd, `etcd-v${etcd}-linux-${arch}.tar.gz`),
            checksumsUrl: github('etcd-io/etcd', etcd, 'SHA256SUMS'),
          },
          package: 'go.etcd.io/etcd/server/v3',
        },
      ],
      build: { kind: 'go', module: 'etcd', cgo: false, tags: [], variables: {}, packages: ['ca-certificates'] },
    },
    {
      name: 'cni',
      version: cniPlugins,
      programs: [
        cniPlugin('ptp', arch, 'main'),
        cniPlugin('loopback', arch, 'main'),
        cniPlugin('host-local', arch, 'ipam'),
        cniPlugin('portmap', arch, 'meta'),
      ],
      build: {
        kind: 'go',
        module: 'containers',
        cgo: false,
        tags: [],
        variables: { 'github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion': `v${cniPlugins}` },
        packages: ['ca-certificates'],
      },
    },
    {
      name: 'runc',
      version: runc,
      programs: [
        {
          name: 'runc',
          // Without libseccomp in it every pod sandbox fails: kubelet asks for a seccomp profile.
          asks: { args: ['--version'], says: ['runc version', 'libseccomp'] },
          release: {
            url: github('opencontainers/runc', runc, `runc.${arch}`),
            checksumsUrl: github('opencontainers/runc', runc, 'runc.sha256sum'),
          },
          package: 'github.com/opencontainers/runc',
        },
      ],
      build: {
        kind: 'go',
        module: 'containers',
        cgo: true,
        tags: ['seccomp'],
        variables: {},
        packages: ['ca-certificates', 'gcc', 'libc6-dev', 'libseccomp-dev', 'pkg-config'],
      },
    },
    {
      name: 'pause',
      version: pause,
      programs: [{ name: 'pause' }],
      build: {
        kind: 'c',
        module: 'kubernetes',
        goModule: 'k8s.io/kubernetes',
        file: 'build/pause/linux/pause.c',
        url: `https://raw.githubusercontent.com/kubernetes/kubernetes/v${kubernetes}/build/pause/linux/pause.c`,
        sha256: '14a3fe21ab5f8e62937a2b453e76f3b94b0d3c7c04c3d09bc37195f54c1695ea',
        flags: ['-Os', '-static', '-s', `-DVERSION=v${pause}`],
        packages: ['gcc', 'libc6-dev'],
      },
    },
    {
      name: 'kwok',
      version: kwok,
      programs: [
        {
          name: 'kwok',
          asks: { args: ['--version'], says: ['kwok version'] },
          release: {
            url: github('kubernetes-sigs/kwok', kwok, `kwok-linux-${arch}`),
            checksumsUrl: github('kubernetes-sigs/kwok', kwok, `kwok-linux-${arch}.sha256`),
          },
          package: 'sigs.k8s.io/kwok/cmd/kwok',
        },
      ],
      build: {
        kind: 'go',
        module: 'kwok',
        cgo: false,
        tags: [],
        variables: {},
        packages: ['ca-certificates'],
      },
    },
    {
      name: 'kind',
      version: kind,
      programs: [
        {
          name: 'kind',
          asks: { args: ['version'], says: ['kind v'] },
          release: {
            url: github('kubernetes-sigs/kind', kind, `kind-linux-${arch}`),
            checksumsUrl: github('kubernetes-sigs/kind', kind, `kind-linux-${arch}.sha256sum`),
          },
          package: 'sigs.k8s.io/kind',
        },
      ],
      build: { kind: 'go', module: 'kind', cgo: false, tags: [], variables: {}, packages: ['ca-certificates'] },
    },
    {
      name: 'crane',
      version: crane,
      programs: [
        {
          name: 'crane',
          asks: { args: ['version'], says: [''] },
          release: {
            url: github(
              'google/go-containerregistry',
              crane,
              `go-containerregistry_Linux_${arch === 'amd64' ? 'x86_64' : arch}.tar.gz`,
            ),
            checksumsUrl: github('google/go-containerregistry', crane, 'checksums.txt'),
          },
          package: 'github.com/google/go-containerregistry/cmd/crane',
        },
      ],
      build: {
        kind: 'go',
        module: 'crane',
        cgo: false,
        tags: [],
        variables: { 'github.com/google/go-containerregistry/cmd/crane/cmd.Version': crane },
        packages: ['ca-certificates'],
      },
    },
    {
      name: 'ghz',
      version: ghz,
      // Its releases have no arm64 and a checksum of the archive under a name of its own: always built.
      programs: [{ name: 'ghz', asks: { args: ['--version'], says: [''] }, package: 'github.com/bojand/ghz/cmd/ghz' }],
      build: {
        kind: 'go',
        module: 'ghz',
        cgo: false,
        tags: [],
        variables: { 'main.version': ghz },
        packages: ['ca-certificates'],
      },
    },
  ] as const satisfies readonly Group[];

export type ProgramName = ReturnType<typeof groupsFor>[number]['programs'][number]['name'];

const plugin = <N extends string>(name: N, version: string, arch: Architecture) => {
  const repository = `pulumi/pulumi-${name}`;
  return {
    name: `resource-${name}`,
    version,
    programs: [
      {
        name: `pulumi-resource-${name}`,
        release: {
          url: github(repository, version, `pulumi-resource-${name}-v${version}-linux-${arch}.tar.gz`),
          checksumsUrl: github(repository, version, `pulumi-${name}_${version}_checksums.txt`),
        },
      },
    ],
  } as const satisfies Group;
};

/** Pulumi's own provider plugins: nobody can build them from a Go module, so they are had by download or not at all. */
export const pluginsFor = (arch: Architecture) =>
  [
    plugin('kubernetes', pulumiKubernetes, arch),
    plugin('command', pulumiCommand, arch),
  ] as const satisfies readonly Group[];

export type PluginName = ReturnType<typeof pluginsFor>[number]['programs'][number]['name'];
