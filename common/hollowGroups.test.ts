import { describe, expect, test } from 'vitest';
import { capacityOf, hollowGroup, hollowGroups, labelsOf, taintsOf } from './hollowGroups.ts';

const messages = (group: object): readonly string[] =>
  hollowGroups
    .safeParse([{ name: 'a', count: 1, ...group }])
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

test('a name and a count are enough', () => {
  expect(hollowGroup.parse({ name: 'small', count: 3 })).toEqual({
    name: 'small',
    engine: 'kubemark',
    count: 3,
    cpu: '4',
    memory: '16Gi',
    pods: 110,
    extendedResources: {},
    labels: {},
    taints: [],
  });
});

test('nodes have the labels, taints and resources of their group, and those of all hollow nodes', () => {
  const group = hollowGroup.parse({
    name: 'gpu',
    engine: 'kwok',
    count: 1,
    cpu: 8,
    extendedResources: { 'nvidia.com/gpu': 4 },
    labels: { 'topology.kubernetes.io/zone': 'a', rack: 7 },
    taints: ['dedicated=gpu:NoExecute', 'lonely:NoSchedule'],
  });
  expect(labelsOf(group)).toEqual({
    'topology.kubernetes.io/zone': 'a',
    rack: '7',
    spoofed: 'true',
    'understudy.dev/hollow-group': 'gpu',
    'understudy.dev/hollow-engine': 'kwok',
  });
  expect(taintsOf(group)).toEqual([
    { key: 'spoofed', value: 'true', effect: 'NoSchedule' },
    { key: 'dedicated', value: 'gpu', effect: 'NoExecute' },
    { key: 'lonely', effect: 'NoSchedule' },
  ]);
  expect(capacityOf(group)).toEqual({ cpu: '8', memory: '16Gi', pods: '110', 'nvidia.com/gpu': '4' });
});

describe('refused with what is wrong', () => {
  test.each([
    [{ count: 0 }, /0.count: it must be 1 at least; to have none, remove the group/],
    [{ count: -3 }, /0.count: it must be 1 at least/],
    [{ count: 1_000_000 }, /0.count: a group has 10000 nodes at most/],
    [{ count: 1.5 }, /0.count: it is no whole number/],
    [{ count: 'many' }, /0.count: it is no whole number/],
    [{ name: 'Big_Nodes' }, /0.name: it becomes part of node names/],
    [{ name: 'x'.repeat(41) }, /0.name: it becomes part of node names/],
    [{ engine: 'docker' }, /0.engine: /],
    [{ cpu: 'four' }, /0.cpu: it is no quantity above zero/],
    [{ memory: '-1Gi' }, /0.memory: it is no quantity above zero/],
    [{ memory: '0' }, /0.memory: it is no quantity above zero/],
    [{ pods: 0 }, /0.pods: /],
    [{ extendedResources: { gpu: 1 } }, /0.extendedResources.gpu: .*no name of an extended resource/],
    [{ extendedResources: { 'nvidia.com/gpu': 0 } }, /0.extendedResources.nvidia.com\/gpu: it must be 1 at least/],
    [{ labels: { 'node-role.kubernetes.io/worker': '' } }, /a kubelet may not give its node this label/],
    [{ labels: { spoofed: 'false' } }, /0.labels.spoofed: every hollow node has it anyway/],
    [{ labels: { 'a b': 'c' } }, /no name of a label/],
    [{ labels: { a: 'b c' } }, /'b c' is no value of a label/],
    [{ taints: ['gpu'] }, /0.taints.0: it is no taint/],
    [{ taints: ['spoofed=true:NoSchedule'] }, /0.taints.0: every hollow node has that taint anyway/],
    [{ colour: 'red' }, /colour/],
  ])('%o', (group, message) => {
    expect(messages(group).join('\n')).toMatch(message);
  });

  test('two groups of one name', () => {
    const groups = [
      { name: 'a', count: 1 },
      { name: 'a', engine: 'kwok', count: 2 },
    ];
    expect(hollowGroups.safeParse(groups).error?.issues[0]?.message).toBe("there are two groups 'a'");
  });
});
