import { expect, test } from 'vitest';
import { volumesOf } from './volumes.ts';

const volume = (name: string, labels: Record<string, string> | null) => ({
  Name: name,
  Driver: 'local',
  Labels: labels,
});

test("a cluster's volumes are those with the name of one of its nodes as a label", () => {
  const volumes = [
    volume('a', { 'us-kind-control-plane': 'true' }),
    volume('b', { 'us-kind-worker12': 'true' }),
    volume('c', { 'us-kind2-control-plane': 'true' }),
    volume('d', { 'us-kind-control-plane-data': 'true' }),
    volume('e', null),
  ];
  expect(volumesOf(JSON.stringify(volumes), 'kind')).toEqual(['a', 'b']);
});
