import { createHash } from 'node:crypto';
import { resolve } from 'node:path';

/** What a user asks of a local cluster. */
export interface ClusterSpec {
  /** Also the prefix of node names: a DNS label. */
  readonly name: string;
  readonly controlPlanes: 1 | 3;
  /** 0 to 40. */
  readonly workers: number;
  /** Whether boxes may reach beyond this machine: a default route with NAT, and the host's resolvers. */
  readonly egress: boolean;
  /** Whether etcd looks as on OpenShift. */
  readonly openshift: boolean;
}

/** What the keys of all objects in a cluster's etcd start with. */
export const etcdPrefixOf = (spec: Pick<ClusterSpec, 'openshift'>): '/kubernetes.io' | '/registry' =>
  spec.openshift ? '/kubernetes.io' : '/registry';

export type NodeRole = 'control-plane' | 'worker' | 'load-balancer';

export interface NodePlan {
  readonly name: string;
  readonly role: NodeRole;
  /** IPv4 on the cluster's bridge. */
  readonly address: string;
  /** The pods of this node; routed between boxes. */
  readonly podCidr: string;
}

export interface ClusterPlan {
  readonly spec: ClusterSpec;
  /** Everything of the cluster on disk is in this directory. */
  readonly dir: string;
  /** Names everything outside the directory: bridge, cgroup. Derived from the directory, so that removal needs no file. */
  readonly id: string;
  readonly bridge: string;
  /** First three octets of the /24 of the bridge. */
  readonly network: string;
  readonly gateway: string;
  readonly nodes: readonly NodePlan[];
  /** Where clients outside, and workers, find the API server: the one control plane, or the load balancer before three. */
  readonly apiAddress: string;
}

export const apiPort = 6443;
export const podNetwork = '10.244.0.0/16';
export const serviceNetwork = '10.96.0.0/16';
export const kubernetesServiceAddress = '10.96.0.1';
export const dnsServiceAddress = '10.96.0.10';
export const clusterDomain = 'cluster.local';

/** The name of a cluster's things outside its directory: eight hex digits of the directory's path. */
export const clusterId = (dir: string): string => createHash('sha256').update(resolve(dir)).digest('hex').slice(0, 8);

/** At most 15 characters, the kernel's limit for interface names. */
export const bridgeName = (id: string): string => `us-${id}`;

/** What the names of the network cards of a cluster's boxes begin with, at their outer ends; three digits follow at most. */
export const vethPrefix = (id: string): string => `u${id}`;

export const subnetOf = (network: string): string => `${network}.0/24`;

/** kind's names: the first of a role has no number. */
const nodeName = (cluster: string, role: NodeRole, index: number): string =>
  `${cluster}-${role}${index === 0 ? '' : index + 1}`;

const firstAddress: Record<NodeRole, number> = { 'load-balancer': 2, 'control-plane': 11, worker: 21 };

/**
 * Lays a cluster out: which nodes, with which names and addresses. A node keeps its address when others come and go.
 * @param network first three octets of the cluster's /24, e.g. `10.213.7`
 */
export const planCluster = (spec: ClusterSpec, dir: string, network: string): ClusterPlan => {
  const count: Record<NodeRole, number> = {
    'load-balancer': spec.controlPlanes > 1 ? 1 : 0,
    'control-plane': spec.controlPlanes,
    worker: spec.workers,
  };
  const roles: readonly NodeRole[] = ['load-balancer', 'control-plane', 'worker'];
  const nodes = roles.flatMap((role) =>
    Array.from({ length: count[role] }, (_, index): NodePlan => {
      const host = firstAddress[role] + index;
      return {
        name: nodeName(spec.name, role, index),
        role,
        address: `${network}.${host}`,
        podCidr: `10.244.${host}.0/24`,
      };
    }),
  );
  const id = clusterId(dir);
  return {
    spec,
    dir,
    id,
    bridge: bridgeName(id),
    network,
    gateway: `${network}.1`,
    nodes,
    apiAddress: `${network}.${firstAddress[spec.controlPlanes > 1 ? 'load-balancer' : 'control-plane']}`,
  };
};

export const controlPlanesOf = (plan: ClusterPlan): readonly NodePlan[] =>
  plan.nodes.filter((node) => node.role === 'control-plane');

/** The nodes that Kubernetes knows: all but the load balancer. */
export const kubernetesNodesOf = (plan: ClusterPlan): readonly NodePlan[] =>
  plan.nodes.filter((node) => node.role !== 'load-balancer');
