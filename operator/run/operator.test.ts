import { expect, test } from 'vitest';
import { oncePredecessorsEnded } from './operator.ts';

const server = { node: 'a', configHash: 'new', keyIDHashes: {} };
const backendSaying = (configHash?: string) => ({
  backend: { status: { nodes: { a: { observedGeneration: 1, keys: {}, ...(configHash && { configHash }) } } } },
});

test('an API server counts once its node says that it serves alone', () => {
  expect(oncePredecessorsEnded(backendSaying('new'), [server])).toEqual([server]);
});

test.each([
  ['still of the one before', backendSaying('old')],
  ['nothing', backendSaying()],
  ['nothing of any node', { backend: undefined }],
])('not while the node says %s', (_, observation) => {
  expect(oncePredecessorsEnded(observation, [server])).toEqual([{ ...server, configHash: undefined }]);
});
