import { expect, test } from 'vitest';
import { type Checkpoint, parseCheckpoint, renderCheckpoint, writeKeyAnnotation } from './checkpoint.ts';

const failed: Checkpoint = {
  last: 'default/secret-7',
  migration: {
    resource: 'secrets',
    writeKey: '3',
    outcome: 'failed',
    done: 7,
    total: 9,
    finishedAt: '2026-11-21T09:00:00Z',
    message: 'no space',
  },
};

test('a lease keeps a checkpoint as it was', () => {
  expect(parseCheckpoint('secrets', JSON.stringify(renderCheckpoint(failed)))).toEqual(failed);
  expect(renderCheckpoint(failed)).toMatchObject({ metadata: { name: 'encryption-migration-core-secrets' } });
});

const lease = (annotations: object): string => JSON.stringify({ metadata: { annotations } });
const progress = { outcome: 'running', last: 'a/b', done: 1, total: 2 };

test.each([
  ['no JSON', '{'],
  ['no annotations', '{"metadata":{}}'],
  ['no write key', lease({ 'understudy.dev/migration': JSON.stringify(progress) })],
  ['progress cut short', lease({ [writeKeyAnnotation]: '1', 'understudy.dev/migration': '{"outcome":"run' })],
  ['an unknown outcome', lease({ [writeKeyAnnotation]: '1', 'understudy.dev/migration': '{"outcome":"odd"}' })],
  [
    'a count below zero',
    lease({ [writeKeyAnnotation]: '1', 'understudy.dev/migration': JSON.stringify({ ...progress, done: -1 }) }),
  ],
])('a lease with %s is none', (_, text) => {
  expect(parseCheckpoint('secrets', text)).toBeUndefined();
});
