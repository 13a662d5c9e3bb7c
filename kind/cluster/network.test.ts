import { expect, test } from 'vitest';
import { placeOf, podNetworkAt } from './network.ts';

test('each node has a place of its own by its name: control planes first, then workers', () => {
  const of = (names: readonly string[], controlPlanes: 1 | 3) => names.map((name) => placeOf(name, { controlPlanes }));
  expect(of(['us-a-control-plane', 'us-a-worker', 'us-a-worker2'], 1)).toEqual([1, 2, 3]);
  expect(of(['us-a-control-plane', 'us-a-control-plane2', 'us-a-control-plane3', 'us-a-worker'], 3)).toEqual([
    1, 2, 3, 4,
  ]);
  expect(placeOf('us-worker-control-plane', { controlPlanes: 1 })).toBe(1);
});

test('of 40 workers and three control planes, every one has a network for its pods', () => {
  expect(podNetworkAt(43)).toBe('10.244.43.0/24');
});
