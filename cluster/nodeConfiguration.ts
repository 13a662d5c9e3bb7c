import { stringify } from 'yaml';
import { apiAddressFor } from './components.ts';
import {
  apiPort,
  type ClusterPlan,
  clusterDomain,
  controlPlanesOf,
  dnsServiceAddress,
  type NodePlan,
  podNetwork,
} from './plan.ts';

/** What of this machine shapes the configuration of a node. */
export interface MachineFacts {
  /** Reference of the sandbox image in containerd. */
  readonly pauseImage: string;
  /** Whether a process may lower its own oom_score_adj (CAP_SYS_RESOURCE); some containers and sandboxes lack it. */
  readonly mayLowerOomScore: boolean;
  /** `native` where the cluster's directory is itself on an overlay. */
  readonly snapshotter: 'overlayfs' | 'native';
  /** The machine's own DNS servers, asked only with egress. */
  readonly resolvers: readonly string[];
}

const oomScore = (machine: MachineFacts): { oomScoreAdj?: number } =>
  machine.mayLowerOomScore ? {} : { oomScoreAdj: 0 };

/** @see https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ */
export const kubeletConfiguration = (machine: MachineFacts): string =>
  stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: '/etc/kubernetes/pki/kubelet-server.crt',
    tlsPrivateKeyFile: '/etc/kubernetes/pki/kubelet-server.key',
    clusterDNS: [dnsServiceAddress],
    clusterDomain,
    resolvConf: '/etc/resolv.conf',
    staticPodPath: '/etc/kubernetes/manifests',
    // No systemd in a box; a cgroup namespace makes the box's cgroup the root.
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    ...oomScore(machine),
    // The disk is the developer's own: never evict pods or collect images because it is rather full (kind's choice too).
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
    },
    imageGCHighThresholdPercent: 100,
  });

/** @see https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/ */
export const kubeProxyConfiguration = (node: NodePlan, machine: MachineFacts): string =>
  stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: '/etc/kubernetes/kube-proxy.conf' },
    hostnameOverride: node.name,
    clusterCIDR: podNetwork,
    mode: 'iptables',
    ...oomScore(machine),
    // These kernel settings are the machine's, not the box's: leave them as they are.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  });

/** @see https://github.com/containerd/containerd/blob/main/docs/cri/config.md */
export const containerdConfiguration = (machine: MachineFacts): string => `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0

[grpc]
  address = "/run/containerd/containerd.sock"

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "${machine.snapshotter}"

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${machine.pauseImage}"

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = ${!machine.mayLowerOomScore}

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/opt/cni/bin"]
  conf_dir = "/etc/cni/net.d"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = "/opt/understudy/bin/runc"
  SystemdCgroup = false
`;

/**
 * A veth pair per pod and a route each (ptp), so that all traffic between pods passes the node's iptables; on a common
 * bridge the answers of a Service would bypass them unless br_netfilter is loaded.
 */
export const cniConfiguration = (node: Pick<NodePlan, 'podCidr'>): string =>
  `${JSON.stringify(
    {
      cniVersion: '1.0.0',
      name: 'understudy',
      plugins: [
        {
          type: 'ptp',
          ipMasq: false,
          ipam: { type: 'host-local', ranges: [[{ subnet: node.podCidr }]], routes: [{ dst: '0.0.0.0/0' }] },
        },
        { type: 'portmap', capabilities: { portMappings: true }, snat: true },
      ],
    },
    null,
    2,
  )}\n`;

/**
 * Without egress nobody outside is ever asked: a name outside the cluster is refused. The cluster's own names are in
 * memory anyway; cached, a name that was asked for too early would be denied for half a minute more.
 */
export const corefile = (plan: ClusterPlan, node: NodePlan, machine: MachineFacts): string => {
  const forward =
    plan.spec.egress && machine.resolvers.length > 0 ? `    forward . ${machine.resolvers.join(' ')}\n` : '';
  return `.:53 {
    bind 127.0.0.1 ${node.address}
    errors
    kubernetes ${clusterDomain} in-addr.arpa ip6.arpa {
        kubeconfig /etc/kubernetes/coredns.conf
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
${forward}    cache 30 {
        disable success ${clusterDomain}
        disable denial ${clusterDomain}
    }
    loadbalance
}
`;
};

export const resolvConf = (plan: ClusterPlan): string =>
  `${controlPlanesOf(plan)
    .map((controlPlane) => `nameserver ${controlPlane.address}\n`)
    .join('')}options timeout:2\n`;

export const hostsFile = (plan: ClusterPlan): string =>
  ['127.0.0.1 localhost', ...plan.nodes.map((node) => `${node.address} ${node.name}`), ''].join('\n');

export const serverUrlFor = (plan: ClusterPlan, node: NodePlan): string =>
  `https://${apiAddressFor(plan, node)}:${apiPort}`;
