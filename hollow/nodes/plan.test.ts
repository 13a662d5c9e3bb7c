import { describe, expect, test } from 'vitest';
import { type HollowGroup, hollowGroup, labelsOf, taintsOf } from '../../common/hollowGroups.ts';
import { hollowNodeName } from '../../common/hollowNodes.ts';
import type { NodePod } from '../approval/request.ts';
import { type NodeObject, newNode } from './desired.ts';
import { type Observed, planNodes } from './plan.ts';

const now = Date.parse('2026-11-26T10:00:00Z');
const at = (seconds: number): string => new Date(now + seconds * 1000).toISOString();

const group = (more: Partial<HollowGroup> = {}): HollowGroup =>
  hollowGroup.parse({ name: 'big', engine: 'kwok', count: 2, ...more });
const kubemark = (more: Partial<HollowGroup> = {}): HollowGroup =>
  group({ name: 'small', engine: 'kubemark', ...more });

/** As the API server has it, made by the controller. */
const made = (of: HollowGroup, index: number): NodeObject => newNode(of, index, '10.96.0.9', at(0)) as NodeObject;

/** As a kubelet registers it. */
const registered = (of: HollowGroup, index: number): NodeObject => ({
  metadata: { name: hollowNodeName(of.name, index), labels: labelsOf(of) },
  spec: { taints: taintsOf(of) },
});

const pod = (name: string, more: { readonly readyAt?: number; readonly deletedAt?: number } = {}): NodePod => ({
  metadata: { name, uid: 'u', ...(more.deletedAt !== undefined && { deletionTimestamp: at(more.deletedAt) }) },
  status: {
    conditions:
      more.readyAt === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: at(more.readyAt) }],
  },
});

const plan = (more: Partial<Observed>) => planNodes({ groups: [], nodes: [], pods: [], now, ...more });

describe('a kwok group', () => {
  test('gets the nodes that it lacks', () => {
    const big = group();
    expect(plan({ groups: [big], nodes: [made(big, 0)] })).toEqual([{ kind: 'create', group: big, index: 1 }]);
  });

  test('is left alone once it is as it should be', () => {
    const big = group();
    expect(plan({ groups: [big], nodes: [made(big, 0), made(big, 1)] })).toEqual([]);
  });

  test('loses the nodes that it has too many, the last ones', () => {
    const big = group();
    expect(plan({ groups: [group({ count: 1 })], nodes: [made(big, 0), made(big, 1)] })).toEqual([
      { kind: 'remove', node: 'hollow-big-1' },
    ]);
  });

  test('that is gone takes its nodes with it', () => {
    expect(plan({ nodes: [made(group(), 0)] })).toEqual([{ kind: 'remove', node: 'hollow-big-0' }]);
  });

  test('does not take a node for its own whose name only begins like its own', () => {
    const other = group({ name: 'big-2', count: 1 });
    const big = group({ count: 1 });
    expect(plan({ groups: [big, other], nodes: [made(big, 0), made(other, 0)] })).toEqual([]);
  });

  test('with other labels, taints and resources has its nodes changed, the resources first', () => {
    const before = group({ count: 1, labels: { zone: 'a', disk: 'ssd' }, taints: ['old=1:NoSchedule'] });
    const after = group({ count: 1, labels: { zone: 'b' }, extendedResources: { 'nvidia.com/gpu': 2 } });
    const [action] = plan({ groups: [after], nodes: [made(before, 0)] });
    expect(action).toMatchObject({
      kind: 'patch',
      node: 'hollow-big-0',
      patch: {
        status: { status: { capacity: { cpu: '4', 'nvidia.com/gpu': '2' }, allocatable: { 'nvidia.com/gpu': '2' } } },
        node: {
          metadata: { labels: { zone: 'b', disk: null, spoofed: 'true' } },
          spec: { taints: [{ key: 'spoofed', value: 'true', effect: 'NoSchedule' }] },
        },
      },
    });
  });

  test('keeps the taints that others gave its nodes', () => {
    const node = made(group({ count: 1 }), 0);
    const taints = [...(node.spec?.taints ?? []), { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }];
    const [action] = plan({
      groups: [group({ count: 1, labels: { a: 'b' } })],
      nodes: [{ ...node, spec: { taints } }],
    });
    expect(action).toMatchObject({ patch: { node: { spec: { taints } }, status: undefined } });
  });
});

describe('a kubemark group', () => {
  test('has its nodes registered by their kubelets, and marked once', () => {
    const small = kubemark({ count: 1 });
    const [action, ...others] = plan({
      groups: [small],
      nodes: [registered(small, 0)],
      pods: [pod('hollow-small-0', { readyAt: -5 })],
    });
    expect(action).toMatchObject({ kind: 'patch', node: 'hollow-small-0', patch: { status: undefined } });
    expect(others).toEqual([]);
  });

  test('loses a node only after its pod: its kubelet would go on renewing the lease', () => {
    const nodes = [registered(kubemark(), 1)];
    const groups = [kubemark({ count: 1 })];
    const onlyRemoval = (pods: readonly NodePod[]) => plan({ groups, nodes, pods });
    expect(onlyRemoval([pod('hollow-small-1', { readyAt: -60 })])).toEqual([]);
    expect(onlyRemoval([pod('hollow-small-1', { deletedAt: -1 })])).toEqual([]);
    expect(onlyRemoval([])).toEqual([{ kind: 'remove', node: 'hollow-small-1' }]);
  });

  test('loses a node whose pod does not go, because the machine under it has died', () => {
    const stuck = pod('hollow-small-1', { deletedAt: -11 });
    expect(plan({ groups: [kubemark({ count: 1 })], nodes: [registered(kubemark(), 1)], pods: [stuck] })).toEqual([
      { kind: 'remove', node: 'hollow-small-1' },
    ]);
  });

  test('has a pod start again whose node somebody deleted', () => {
    const groups = [kubemark({ count: 1 })];
    expect(plan({ groups, pods: [pod('hollow-small-0', { readyAt: -10 })] })).toEqual([]);
    expect(plan({ groups, pods: [pod('hollow-small-0', { readyAt: -21 })] })).toEqual([
      { kind: 'restart', pod: 'hollow-small-0' },
    ]);
  });

  test('that changes its engine gets rid of the old nodes before the new ones come', () => {
    const before = kubemark({ count: 1 });
    const after = group({ name: 'small', count: 1 });
    expect(plan({ groups: [after], nodes: [registered(before, 0)] })).toEqual([
      { kind: 'remove', node: 'hollow-small-0' },
    ]);
    expect(plan({ groups: [after] })).toEqual([{ kind: 'create', group: after, index: 0 }]);
  });
});

test('ten thousand nodes are planned within a second', () => {
  const huge = group({ count: 10_000 });
  const nodes = Array.from({ length: 10_000 }, (_, index) => made(huge, index));
  const began = performance.now();
  expect(plan({ groups: [huge], nodes })).toEqual([]);
  expect(performance.now() - began).toBeLessThan(1_000);
});
