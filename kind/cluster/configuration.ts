import { stringify } from 'yaml';
import { encryptionConfigurationPath } from '../../cluster/encryptionConfiguration.ts';
import { etcdPrefixOf } from '../../cluster/plan.ts';
import { graceSeconds } from '../../common/apiServerPods.ts';
import { networkPath } from './network.ts';

/** A folder of this machine that all nodes see. */
export interface NodeMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
}

/** A port of the first control-plane node that is reachable at this machine. */
export interface NodePort {
  readonly containerPort: number;
  readonly hostPort: number;
  readonly listenAddress: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

/** What a kind cluster is asked to be. */
export interface KindSpec {
  readonly stack: string;
  readonly controlPlanes: 1 | 3;
  readonly workers: number;
  /** Whether keys in etcd have OpenShift's prefix. */
  readonly openshift: boolean;
  readonly mounts: readonly NodeMount[];
  readonly ports: readonly NodePort[];
}

/** The name of a stack's cluster in kind, and the prefix of its node names: not the stack's own, since kind's default is `kind`. */
export const kindNameOf = (stack: string): string => `us-${stack}`;

/** Whether kind puts a load balancer before the API servers. */
export const hasBalancer = ({ controlPlanes }: Pick<KindSpec, 'controlPlanes'>): boolean => controlPlanes > 1;

/** Where a node sees the folder that shows whose it is; see {@link KindSpec} and `ownNodes`. */
export const markPath = '/etc/understudy';

const encryptionFolder = encryptionConfigurationPath.slice(0, encryptionConfigurationPath.lastIndexOf('/'));
const socketFolder = '/var/run/kmsplugin';

/** Where kubeadm finds changes of the manifests that it makes, `<component>.yaml`. */
const manifestPatchesPath = `${markPath}/manifests`;

/** Files below a cluster's mark, by their paths there. */
export const markFiles = (stack: string): Readonly<Record<string, string>> => ({
  stack: `${stack}\n`,
  // One that has handed over is to end, not to see to clients that have left it.
  'manifests/kube-apiserver.yaml': stringify({ spec: { terminationGracePeriodSeconds: graceSeconds } }),
});

/** Folders of a cluster's own directory that its nodes see. */
export const nodeFolders = (
  dir: string,
): {
  /** Of one control-plane node, by its place from 1 on: each takes a new configuration in its own time. */
  readonly encryption: (place: number) => string;
  /** How the pods of one node are connected. */
  readonly network: (place: number) => string;
  readonly mark: string;
} => ({
  encryption: (place) => `${dir}/kind/encryption/${place}`,
  network: (place) => `${dir}/kind/network/${place}.conflist`,
  mark: `${dir}/kind/mark`,
});

const patch = (kind: string, content: object): string => stringify({ kind, ...content });

const args = (values: Readonly<Record<string, string>>): readonly object[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

/** A busy machine takes longer than kubeadm's minute. */
const patience = { kubernetesAPICall: '5m0s', etcdAPICall: '5m0s', controlPlaneComponentHealthCheck: '8m0s' };

/** As kubeadm is told; without `apiVersion`, so that kind fits it to the version of the nodes. */
export const kubeadmPatches = ({ openshift }: Pick<KindSpec, 'openshift'>, ownNetwork: boolean): readonly string[] => [
  patch('ClusterConfiguration', {
    apiServer: {
      extraArgs: args({
        'encryption-provider-config': encryptionConfigurationPath,
        // As on every platform: kube-apiserver tells the hash of what it has loaded.
        'encryption-provider-config-automatic-reload': 'true',
        // The installer has a second one take over from the first.
        'permit-port-sharing': 'true',
        'etcd-prefix': etcdPrefixOf({ openshift }),
      }),
      extraVolumes: [
        {
          name: 'encryption',
          hostPath: encryptionFolder,
          mountPath: encryptionFolder,
          readOnly: true,
          pathType: 'Directory',
        },
        { name: 'kms-sockets', hostPath: socketFolder, mountPath: socketFolder, pathType: 'DirectoryOrCreate' },
      ],
    },
    controllerManager: {
      extraArgs: args({
        // Its default of 20 calls a second stretches the start of its controllers, each with an account of its own, to 5 s.
        'kube-api-qps': '500',
        'kube-api-burst': '500',
        ...(ownNetwork && { 'allocate-node-cidrs': 'false' }),
      }),
    },
    // Throw-away data: survives kill -9 of everything, not a power cut, and is much faster.
    etcd: { local: { extraArgs: args({ 'unsafe-no-fsync': 'true' }) } },
  }),
  patch('InitConfiguration', { timeouts: patience, patches: { directory: manifestPatchesPath } }),
  patch('JoinConfiguration', { timeouts: patience, patches: { directory: manifestPatchesPath } }),
  // Machines with cgroup v1 are served as long as the kubelet has the switch.
  patch('KubeletConfiguration', { failCgroupV1: false }),
];

/**
 * What `kind create cluster --config` reads.
 * @param dir the cluster's own directory
 * @param ownNetwork whether pods' networking is ours: a node image made here has no network plugin of kind
 * @see https://kind.sigs.k8s.io/docs/user/configuration/
 */
export const kindConfiguration = (spec: KindSpec, dir: string, ownNetwork: boolean): string => {
  const folders = nodeFolders(dir);
  const mountsAt = (place: number): readonly object[] => [
    { hostPath: folders.mark, containerPath: markPath, readOnly: true },
    // There before the kubelet is, so that a node is Ready as soon as it has joined.
    ...(ownNetwork ? [{ hostPath: folders.network(place), containerPath: networkPath, readOnly: true }] : []),
    ...spec.mounts.map(({ hostPath, containerPath, readOnly }) => ({ hostPath, containerPath, readOnly })),
  ];
  const controlPlanes = Array.from({ length: spec.controlPlanes }, (_, i) => ({
    role: 'control-plane',
    extraMounts: [{ hostPath: folders.encryption(i + 1), containerPath: encryptionFolder }, ...mountsAt(i + 1)],
    ...(i === 0 && spec.ports.length > 0 && { extraPortMappings: spec.ports }),
  }));
  const workers = Array.from({ length: spec.workers }, (_, i) => ({
    role: 'worker',
    extraMounts: mountsAt(spec.controlPlanes + i + 1),
  }));
  return stringify(
    {
      kind: 'Cluster',
      apiVersion: 'kind.x-k8s.io/v1alpha4',
      ...(ownNetwork && { networking: { disableDefaultCNI: true } }),
      nodes: [...controlPlanes, ...workers],
      kubeadmConfigPatches: kubeadmPatches(spec, ownNetwork),
    },
    { lineWidth: 0 },
  );
};
