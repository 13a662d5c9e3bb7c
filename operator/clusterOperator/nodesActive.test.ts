import { expect, it } from 'vitest';
import type { Observation } from '../observation.ts';
import { noon, observationOf } from '../testing/fixtures.ts';
import { nodesActive } from './nodesActive.ts';

const all = observationOf({});
const silent = (count: number): Observation['apiServers'] =>
  all.apiServers.map((server, i) => (i < count ? { ...server, failure: 'ECONNREFUSED' } : server));
const messages = (observation: Observation) =>
  nodesActive(observation, noon).flatMap(({ conditions }) => conditions.map(({ message }) => message));

it('counts the nodes whose API server answers', () => {
  expect(nodesActive(all, noon)).toEqual([
    {
      controller: 'StaticPods',
      fieldManager: 'openshift-kube-apiserver-StaticPods',
      changed: true,
      conditions: [
        {
          type: 'StaticPodsAvailable',
          status: 'True',
          reason: 'AsExpected',
          message: '3 nodes are active',
          lastTransitionTime: '2026-11-21T12:00:00Z',
        },
      ],
    },
  ]);
});

it('names those that do not answer', () => {
  expect(messages({ ...all, apiServers: silent(2) })).toEqual(['1 nodes are active; no answer from cp-1, cp-2']);
});

it('counts a node once while two take turns there', () => {
  expect(messages({ ...all, apiServers: [...all.apiServers, ...all.apiServers] })).toEqual(['3 nodes are active']);
});

it.each<[string, Observation]>([
  ['no API server answers', { ...all, apiServers: silent(3) }],
  ['there is no operator object', { ...all, operator: undefined }],
  ['the operator is not managed', { ...all, operator: { managementState: 'Unmanaged', conditions: [] } }],
])('says nothing where %s', (_, observation) => {
  expect(nodesActive(observation, noon)).toEqual([]);
});
