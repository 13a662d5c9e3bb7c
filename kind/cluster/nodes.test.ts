import { expect, test } from 'vitest';
import type { KindSpec } from './configuration.ts';
import { type KindNode, kubernetesNodes, ownNodes, parseInspected, refuseForeign } from './nodes.ts';
import { explainKind } from './start.ts';

const container = {
  Id: 'c0ffee',
  Name: '/us-kind-control-plane',
  State: { Running: true, Pid: 1, StartedAt: '2026-11-27T01:02:03.4Z' },
  Config: { Labels: { 'io.x-k8s.kind.role': 'control-plane', 'io.x-k8s.kind.cluster': 'us-kind' } },
  Mounts: [{ Type: 'bind', Source: '/home/clusters/kind/kind/mark', Destination: '/etc/understudy' }],
  NetworkSettings: { Networks: { kind: { IPAddress: '172.18.0.2' } } },
};

test('a node is read from what the engine says of its container', () => {
  expect(parseInspected(JSON.stringify([container]))).toEqual([
    {
      id: 'c0ffee',
      name: 'us-kind-control-plane',
      role: 'control-plane',
      running: true,
      startedAt: '2026-11-27T01:02:03.4Z',
      address: '172.18.0.2',
      mounts: ['/home/clusters/kind/kind/mark'],
    },
  ]);
});

const dir = '/home/clusters/kind';
const mark = '/home/clusters/kind/kind/mark';

const node = (name: string, mounts: readonly string[], role = 'worker'): KindNode => ({
  id: name,
  name,
  role,
  running: true,
  startedAt: '',
  address: '',
  mounts,
});

test('a cluster is ours where all of its nodes see the mark of its directory', () => {
  const ours = node('us-kind-worker', ['/lib/modules', mark]);
  expect(() => refuseForeign([ours], 'kind', dir, undefined)).not.toThrow();
  expect(() => refuseForeign([], 'kind', dir, undefined)).not.toThrow();
});

test.each([
  ['made by hand', ['/lib/modules']],
  ['of another home', ['/elsewhere/clusters/kind/kind/mark']],
])('a cluster of that name %s is refused by its nodes, with the way out', (_what, mounts) => {
  expect(() => refuseForeign([node('us-kind-worker', mounts)], 'kind', dir, undefined)).toThrow(
    /that this stack did not make \(us-kind-worker\); it is left as it is\n.*kind delete cluster --name us-kind/,
  );
});

const balancer = node('us-kind-external-load-balancer', [], 'external-load-balancer');
const three: KindSpec = { stack: 'kind', controlPlanes: 3, workers: 0, openshift: true, mounts: [], ports: [] };
const marked = [1, 2, 3].map((place) => node(`us-kind-control-plane${place}`, [mark], 'control-plane'));
const strange = node('us-kind-control-plane', ['/lib/modules'], 'control-plane');

test.each([
  ['ours where all of its nodes are', [...marked, balancer], undefined, [...marked, balancer]],
  ["somebody else's where one of its nodes is", [...marked, strange, balancer], { spec: three }, marked],
  ['ours where it is all that there is of a cluster that was begun', [balancer], { spec: three }, [balancer]],
  ["somebody else's where nothing was begun that has one", [balancer], { spec: { ...three, controlPlanes: 1 } }, []],
  ["somebody else's where nothing was begun at all", [balancer], undefined, []],
] as const)('a load balancer is %s', (_what, nodes, record, own) => {
  expect(ownNodes(nodes, dir, record)).toEqual(own);
});

test('a load balancer is no node of Kubernetes', () => {
  expect(kubernetesNodes([balancer, ...marked])).toEqual(marked);
});

test("of kind's output, the lines that tell what went wrong are kept", () => {
  const output = 'I1126 round_trippers\nERROR: failed to create cluster: no space\nI1126 more\n';
  expect(explainKind(output)).toBe('ERROR: failed to create cluster: no space');
  expect(explainKind('one\ntwo\n')).toBe('one\n    two');
});
