import { expect, test } from 'vitest';
import { hollowGroup } from './hollowGroups.ts';
import { crowdedBy, kubemarkPodsThatFit, tooLargeFor } from './hollowRoom.ts';

const one = { controlPlanes: 1, workers: 0 };
const kubemark = (count: number) => hollowGroup.parse({ name: `k${count}`, count });
const kwok = (count: number) => hollowGroup.parse({ name: 'w', engine: 'kwok', count });

test('a single node holds a hundred kubemark nodes beside what is there anyway', () => {
  expect(kubemarkPodsThatFit(one)).toBe(102);
  expect(crowdedBy([kubemark(100)], one)).toBeUndefined();
});

test('more are refused before anything is made, with the number of workers that would do', () => {
  expect(crowdedBy([kubemark(100), kubemark(200)], one)).toBe(
    'its kubemark groups have 300 nodes, each of which is a pod, and the real nodes hold 102 of those: ' +
      'add 2 to workers, ask for fewer, or let a group be of engine kwok, which takes no pod a node',
  );
  expect(crowdedBy([kubemark(100), kubemark(200)], { ...one, workers: 2 })).toBeUndefined();
});

test('nodes of kwok take no pods and next to no memory', () => {
  expect(crowdedBy([kwok(10_000)], one)).toBeUndefined();
  expect(tooLargeFor([kwok(10_000)], 1e8)).toBeUndefined();
});

test('a machine that has no memory for them is told so', () => {
  expect(tooLargeFor([kubemark(100)], 1e9)).toBe('100 nodes of kubemark take 2.0 GB, and 1.0 GB are free');
  expect(tooLargeFor([kubemark(100)], 3e9)).toBeUndefined();
});
