import { expect, test } from 'vitest';
import { type KindNode, parseInspected, refuseForeign } from './nodes.ts';
import { explainKind } from './start.ts';

const container = {
  Name: '/us-kind-control-plane',
  State: { Running: true, Pid: 1 },
  Config: { Labels: { 'io.x-k8s.kind.role': 'control-plane', 'io.x-k8s.kind.cluster': 'us-kind' } },
  Mounts: [{ Type: 'bind', Source: '/home/clusters/kind/kind/mark', Destination: '/etc/understudy' }],
  NetworkSettings: { Networks: { kind: { IPAddress: '172.18.0.2' } } },
};

test('a node is read from what the engine says of its container', () => {
  expect(parseInspected(JSON.stringify([container]))).toEqual([
    {
      name: 'us-kind-control-plane',
      role: 'control-plane',
      running: true,
      address: '172.18.0.2',
      mounts: ['/home/clusters/kind/kind/mark'],
    },
  ]);
});

const node = (name: string, mounts: readonly string[]): KindNode => ({
  name,
  role: 'worker',
  running: true,
  address: '',
  mounts,
});

test('a cluster is ours where all of its nodes see the mark of its directory', () => {
  const ours = node('us-kind-worker', ['/lib/modules', '/home/clusters/kind/kind/mark']);
  expect(() => refuseForeign([ours], 'kind', '/home/clusters/kind')).not.toThrow();
  expect(() => refuseForeign([], 'kind', '/home/clusters/kind')).not.toThrow();
});

test.each([
  ['made by hand', ['/lib/modules']],
  ['of another home', ['/elsewhere/clusters/kind/kind/mark']],
])('a cluster of that name %s is refused by its nodes, with the way out', (_what, mounts) => {
  expect(() => refuseForeign([node('us-kind-worker', mounts)], 'kind', '/home/clusters/kind')).toThrow(
    /that this stack did not make \(us-kind-worker\); it is left as it is\n.*kind delete cluster --name us-kind/,
  );
});

test("of kind's output, the lines that tell what went wrong are kept", () => {
  const output = 'I1126 round_trippers\nERROR: failed to create cluster: no space\nI1126 more\n';
  expect(explainKind(output)).toBe('ERROR: failed to create cluster: no space');
  expect(explainKind('one\ntwo\n')).toBe('one\n    two');
});
