import { describe, expect, it } from 'vitest';
import { bridgeName, clusterId, kubernetesNodesOf, planCluster } from './plan.ts';

const plan = (controlPlanes: 1 | 3, workers: number) =>
  planCluster(
    { name: 'dev', controlPlanes, workers, egress: false, openshift: true },
    '/home/me/clusters/dev',
    '10.213.7',
  );

describe('planCluster', () => {
  it('lays out one node that is its own API endpoint', () => {
    const { nodes, apiAddress } = plan(1, 0);
    expect(nodes).toEqual([
      { name: 'dev-control-plane', role: 'control-plane', address: '10.213.7.11', podCidr: '10.244.11.0/24' },
    ]);
    expect(apiAddress).toBe('10.213.7.11');
  });

  it('puts a load balancer before three control planes, which Kubernetes does not know', () => {
    const three = plan(3, 2);
    expect(three.nodes.map((node) => node.name)).toEqual([
      'dev-load-balancer',
      'dev-control-plane',
      'dev-control-plane2',
      'dev-control-plane3',
      'dev-worker',
      'dev-worker2',
    ]);
    expect(three.apiAddress).toBe('10.213.7.2');
    expect(kubernetesNodesOf(three)).toHaveLength(5);
  });

  it('keeps the addresses of nodes when workers come', () => {
    expect(plan(1, 3).nodes.slice(0, 2)).toEqual(plan(1, 1).nodes);
  });

  it('gives no two nodes of the largest cluster the same address', () => {
    const addresses = plan(3, 40).nodes.map((node) => node.address);
    expect(new Set(addresses).size).toBe(addresses.length);
  });
});

describe('names outside the directory', () => {
  it('depend on the directory alone, and fit an interface name', () => {
    expect(clusterId('/a/b/../b')).toBe(clusterId('/a/b'));
    expect(clusterId('/a/b')).not.toBe(clusterId('/a/c'));
    expect(bridgeName(clusterId('/a/b')).length).toBeLessThanOrEqual(15);
  });
});
