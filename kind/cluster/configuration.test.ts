import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type KindSpec, kindConfiguration, kubeadmPatches, markFiles } from './configuration.ts';

const spec: KindSpec = { stack: 'kind', controlPlanes: 1, workers: 0, openshift: true, mounts: [], ports: [] };

test('a cluster has one control-plane node that sees the encryption configuration, and no network plugin of a registry', () => {
  const configuration: unknown = parse(kindConfiguration(spec, '/home/c/kind', true));
  expect(configuration).toMatchObject({
    kind: 'Cluster',
    networking: { disableDefaultCNI: true },
    nodes: [
      {
        role: 'control-plane',
        extraMounts: [
          { hostPath: '/home/c/kind/kind/encryption/1', containerPath: '/etc/kubernetes/encryption' },
          { hostPath: '/home/c/kind/kind/mark', containerPath: '/etc/understudy', readOnly: true },
          {
            hostPath: '/home/c/kind/kind/network/1.conflist',
            containerPath: '/etc/cni/net.d/10-understudy.conflist',
            readOnly: true,
          },
        ],
      },
    ],
  });
});

test('each of three control planes has an encryption configuration of its own, and the first one the ports', () => {
  const port = { containerPort: 30080, hostPort: 8080, listenAddress: '127.0.0.1', protocol: 'TCP' } as const;
  const { nodes } = parse(kindConfiguration({ ...spec, controlPlanes: 3, ports: [port] }, '/d', true)) as {
    nodes: { role: string; extraMounts: { hostPath: string }[]; extraPortMappings?: object[] }[];
  };
  expect(nodes.map(({ role }) => role)).toEqual(['control-plane', 'control-plane', 'control-plane']);
  expect(nodes.map(({ extraMounts }) => extraMounts[0]?.hostPath)).toEqual(
    [1, 2, 3].map((place) => `/d/kind/encryption/${place}`),
  );
  expect(nodes.map(({ extraPortMappings }) => extraPortMappings)).toEqual([[port], undefined, undefined]);
});

test("an image of kind's own keeps kind's network", () => {
  const text = kindConfiguration(spec, '/d', false);
  expect(parse(text)).not.toHaveProperty('networking');
  expect(text).not.toContain('cni');
  expect(text).not.toContain('allocate-node-cidrs');
});

test('workers, mounts and ports are as they were asked for', () => {
  const mount = { hostPath: '/srv', containerPath: '/data', readOnly: true };
  const port = { containerPort: 30080, hostPort: 8080, listenAddress: '127.0.0.1', protocol: 'TCP' } as const;
  const { nodes } = parse(kindConfiguration({ ...spec, workers: 2, mounts: [mount], ports: [port] }, '/d', true)) as {
    nodes: { role: string; extraMounts: object[]; extraPortMappings?: object[] }[];
  };
  expect(nodes.map(({ role }) => role)).toEqual(['control-plane', 'worker', 'worker']);
  for (const { extraMounts } of nodes) expect(extraMounts).toContainEqual(mount);
  expect(nodes.map(({ extraPortMappings }) => extraPortMappings)).toEqual([[port], undefined, undefined]);
});

test.each([
  [true, '/kubernetes.io'],
  [false, '/registry'],
])(
  'with openshift %s, keys in etcd begin with %s, and kube-apiserver lets another one share its port',
  (openshift, prefix) => {
    const [cluster] = kubeadmPatches({ openshift }, true).map(
      (text) => parse(text) as { apiServer: { extraArgs: object[] } },
    );
    expect(cluster?.apiServer.extraArgs).toEqual([
      { name: 'encryption-provider-config', value: '/etc/kubernetes/encryption/encryption-config.yaml' },
      { name: 'encryption-provider-config-automatic-reload', value: 'true' },
      { name: 'permit-port-sharing', value: 'true' },
      { name: 'etcd-prefix', value: prefix },
    ]);
  },
);

test('each kube-apiserver of kubeadm ends within 2 s, by a patch that all nodes see', () => {
  const patches = kubeadmPatches(spec, true).map((text) => parse(text) as { kind: string; patches?: object });
  for (const kind of ['InitConfiguration', 'JoinConfiguration']) {
    expect(patches).toContainEqual(
      expect.objectContaining({ kind, patches: { directory: '/etc/understudy/manifests' } }),
    );
  }
  expect(parse(markFiles('kind')['manifests/kube-apiserver.yaml'] ?? '')).toEqual({
    spec: { terminationGracePeriodSeconds: 2 },
  });
});

test('kubelets start on machines with cgroup v1', () => {
  expect(kubeadmPatches(spec, true).map((text) => parse(text) as object)).toContainEqual({
    kind: 'KubeletConfiguration',
    failCgroupV1: false,
  });
});

test('no patch says an apiVersion, so that kind fits it to any version of the nodes', () => {
  for (const text of kubeadmPatches(spec, true)) expect(parse(text)).not.toHaveProperty('apiVersion');
});
