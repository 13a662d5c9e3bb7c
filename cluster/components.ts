import { encryptionConfigurationPath } from './encryptionConfiguration.ts';
import {
  apiPort,
  type ClusterPlan,
  controlPlanesOf,
  etcdPrefixOf,
  type NodePlan,
  podNetwork,
  serviceNetwork,
} from './plan.ts';

/** A program that a box keeps running. */
export interface Component {
  /** Also the name of its service and its log. */
  readonly name: string;
  /** Shell lines before the program starts. */
  readonly before: readonly string[];
  readonly command: readonly string[];
  /** What its supervisor ends it with; SIGTERM where left out. */
  readonly downSignal?: 'KILL';
  /** Whether it runs only once somebody asks its supervisor to. */
  readonly startsDown?: boolean;
}

const pki = '/etc/kubernetes/pki';
const etcdPki = `${pki}/etcd`;

/** Starting a client before its server costs retries with growing pauses: wait for the port instead. */
const untilListening = (address: string, port: number): string =>
  `until (exec 3<>/dev/tcp/${address}/${port}) 2>/dev/null; do sleep 0.05; done`;

/** There once the API server has made the roles of its own clients; see {@link untilRolesExist}. */
export const rolesExistPath = 'run/understudy-roles-exist';

/**
 * A client that is refused comes back after growing pauses, so those that live by roles wait for `up` to see them made;
 * not for ever, since `up` may have been killed.
 */
const untilRolesExist = `for ((i = 0; i < 600; i++)); do [ ! -e /${rolesExistPath} ] || break; sleep 0.05; done`;

const etcd = (plan: ClusterPlan, node: NodePlan): Component => ({
  name: 'etcd',
  before: [],
  command: [
    'etcd',
    `--name=${node.name}`,
    '--data-dir=/var/lib/etcd',
    `--listen-client-urls=https://127.0.0.1:2379,https://${node.address}:2379`,
    `--advertise-client-urls=https://${node.address}:2379`,
    `--listen-peer-urls=https://${node.address}:2380`,
    `--initial-advertise-peer-urls=https://${node.address}:2380`,
    `--initial-cluster=${controlPlanesOf(plan)
      .map((member) => `${member.name}=https://${member.address}:2380`)
      .join(',')}`,
    `--initial-cluster-token=${plan.id}`,
    '--client-cert-auth=true',
    `--trusted-ca-file=${etcdPki}/ca.crt`,
    `--cert-file=${etcdPki}/server.crt`,
    `--key-file=${etcdPki}/server.key`,
    '--peer-client-cert-auth=true',
    `--peer-trusted-ca-file=${etcdPki}/ca.crt`,
    `--peer-cert-file=${etcdPki}/server.crt`,
    `--peer-key-file=${etcdPki}/server.key`,
    // Throw-away data: survives kill -9 of everything, not a power cut, and is much faster.
    '--unsafe-no-fsync=true',
    '--log-level=warn',
  ],
});

/** The services that take turns as a node's API server; the first one runs when the box starts. */
export const apiServerServices = ['kube-apiserver-a', 'kube-apiserver-b'] as const;

/** The services of a component as people name it. */
export const servicesOf = (component: string): readonly string[] =>
  component === 'kube-apiserver' ? apiServerServices : [component];

/** The component that a service is of; see {@link servicesOf}. */
export const componentOf = (service: string): string =>
  apiServerServices.some((name) => name === service) ? 'kube-apiserver' : service;

const kubeApiserver = (plan: ClusterPlan, node: NodePlan, name: (typeof apiServerServices)[number]): Component => ({
  name,
  // Asked to end, it would take its address from the service `kubernetes`, and wait up to a minute for watchers to leave.
  downSignal: 'KILL',
  startsDown: name !== apiServerServices[0],
  before: [untilListening('127.0.0.1', 2379)],
  command: [
    'kube-apiserver',
    `--advertise-address=${node.address}`,
    `--secure-port=${apiPort}`,
    // The next one serves before this one ends. An API server is a client of itself: each must meet itself at its address,
    // so the second one has the node's, which goes before every address, and the first one alone the loopback's then.
    '--permit-port-sharing=true',
    ...(name === apiServerServices[0] ? [] : [`--bind-address=${node.address}`]),
    '--allow-privileged=true',
    '--anonymous-auth=false',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--client-ca-file=${pki}/ca.crt`,
    `--tls-cert-file=${pki}/apiserver.crt`,
    `--tls-private-key-file=${pki}/apiserver.key`,
    `--etcd-servers=${[
      '127.0.0.1',
      ...controlPlanesOf(plan).flatMap((peer) => (peer.address === node.address ? [] : [peer.address])),
    ]
      .map((address) => `https://${address}:2379`)
      .join(',')}`,
    `--etcd-prefix=${etcdPrefixOf(plan.spec).slice(1)}`,
    `--etcd-cafile=${etcdPki}/ca.crt`,
    `--etcd-certfile=${etcdPki}/client.crt`,
    `--etcd-keyfile=${etcdPki}/client.key`,
    `--kubelet-certificate-authority=${pki}/ca.crt`,
    `--kubelet-client-certificate=${pki}/apiserver-kubelet-client.crt`,
    `--kubelet-client-key=${pki}/apiserver-kubelet-client.key`,
    // Node names are known to nobody's DNS.
    '--kubelet-preferred-address-types=InternalIP',
    `--proxy-client-cert-file=${pki}/front-proxy-client.crt`,
    `--proxy-client-key-file=${pki}/front-proxy-client.key`,
    `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    // kube-proxy runs in the box, but webhook pods are reached without it.
    '--enable-aggregator-routing=true',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${pki}/sa.pub`,
    `--service-account-signing-key-file=${pki}/sa.key`,
    `--service-cluster-ip-range=${serviceNetwork}`,
    `--encryption-provider-config=${encryptionConfigurationPath}`,
    '--encryption-provider-config-automatic-reload=true',
    '--profiling=false',
  ],
});

const leaderElection = (plan: ClusterPlan): string => `--leader-elect=${controlPlanesOf(plan).length > 1}`;

const kubeControllerManager = (plan: ClusterPlan): Component => ({
  name: 'kube-controller-manager',
  before: [untilRolesExist],
  command: [
    'kube-controller-manager',
    '--bind-address=127.0.0.1',
    '--kubeconfig=/etc/kubernetes/controller-manager.conf',
    '--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf',
    '--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf',
    // The config map that it would look up is encrypted: unreadable until the KMS plugin has come.
    '--authentication-tolerate-lookup-failure=true',
    `--client-ca-file=${pki}/ca.crt`,
    `--root-ca-file=${pki}/ca.crt`,
    `--cluster-signing-cert-file=${pki}/ca.crt`,
    `--cluster-signing-key-file=${pki}/ca.key`,
    `--service-account-private-key-file=${pki}/sa.key`,
    '--use-service-account-credentials=true',
    `--cluster-cidr=${podNetwork}`,
    '--allocate-node-cidrs=false',
    // Its default of 20 calls a second stretches the start of its controllers, each with an account of its own, to 5 s.
    '--kube-api-qps=500',
    '--kube-api-burst=500',
    `--service-cluster-ip-range=${serviceNetwork}`,
    '--profiling=false',
    leaderElection(plan),
  ],
});

const kubeScheduler = (plan: ClusterPlan): Component => ({
  name: 'kube-scheduler',
  before: [untilRolesExist],
  command: [
    'kube-scheduler',
    '--bind-address=127.0.0.1',
    '--kubeconfig=/etc/kubernetes/scheduler.conf',
    '--authentication-kubeconfig=/etc/kubernetes/scheduler.conf',
    '--authorization-kubeconfig=/etc/kubernetes/scheduler.conf',
    '--authentication-tolerate-lookup-failure=true',
    '--profiling=false',
    leaderElection(plan),
  ],
});

const coredns: Component = {
  name: 'coredns',
  before: [untilRolesExist],
  command: ['coredns', '-conf', '/etc/coredns/Corefile'],
};

const containerd: Component = {
  name: 'containerd',
  before: [],
  command: ['containerd', '--config', '/etc/containerd/config.toml'],
};

/** The API server that the components of this node speak to: its own, or the common one. */
export const apiAddressFor = (plan: ClusterPlan, node: NodePlan): string =>
  node.role === 'control-plane' ? node.address : plan.apiAddress;

const kubelet = (plan: ClusterPlan, node: NodePlan): Component => ({
  name: 'kubelet',
  before: [untilListening(apiAddressFor(plan, node), apiPort)],
  command: [
    'kubelet',
    '--config=/etc/kubernetes/kubelet.yaml',
    '--kubeconfig=/etc/kubernetes/kubelet.conf',
    `--hostname-override=${node.name}`,
    // Without it the kubelet asks DNS for its host name, and registers only after that has timed out.
    `--node-ip=${node.address}`,
  ],
});

const kubeProxy: Component = {
  name: 'kube-proxy',
  before: [untilRolesExist],
  command: ['kube-proxy', '--config=/etc/kubernetes/kube-proxy.yaml'],
};

/** etcd's own TCP gateway: forwards to a control plane that answers, and passes over one that does not. */
const apiGateway = (plan: ClusterPlan, node: NodePlan): Component => ({
  name: 'api-gateway',
  before: [],
  command: [
    'etcd',
    'gateway',
    'start',
    `--listen-addr=${node.address}:${apiPort}`,
    `--endpoints=${controlPlanesOf(plan)
      .map((controlPlane) => `${controlPlane.address}:${apiPort}`)
      .join(',')}`,
    '--retry-delay=1s',
  ],
});

/** What runs in the box of a node. */
export const componentsOf = (plan: ClusterPlan, node: NodePlan): readonly Component[] => {
  const everyNode = [containerd, kubelet(plan, node), kubeProxy];
  switch (node.role) {
    case 'load-balancer':
      return [apiGateway(plan, node)];
    case 'worker':
      return everyNode;
    case 'control-plane':
      return [
        etcd(plan, node),
        ...apiServerServices.map((name) => kubeApiserver(plan, node, name)),
        kubeControllerManager(plan),
        kubeScheduler(plan),
        coredns,
        ...everyNode,
      ];
  }
};
