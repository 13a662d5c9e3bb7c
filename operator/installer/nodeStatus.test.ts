import { expect, it } from 'vitest';
import { fieldManagerOf, nextNodeStatus } from './nodeStatus.ts';

const failed = {
  kind: 'failed',
  reason: 'OperandFailed',
  message: 'it ended',
  now: new Date('2026-11-21T09:00:00.123Z'),
} as const;

it('begins with a bare entry, then counts', () => {
  const first = nextNodeStatus('a', undefined, { kind: 'taken' });
  expect(first).toEqual({ nodeName: 'a' });
  const second = nextNodeStatus('a', first, { kind: 'taken' });
  expect(second).toEqual({ nodeName: 'a', currentRevision: 1 });
  expect(nextNodeStatus('a', second, { kind: 'taken' })).toEqual({ nodeName: 'a', currentRevision: 2 });
});

it('says what failed and how often, and keeps the revision', () => {
  const once = nextNodeStatus('a', { nodeName: 'a', currentRevision: 4 }, failed);
  expect(once).toEqual({
    nodeName: 'a',
    currentRevision: 4,
    lastFailedRevision: 5,
    lastFailedCount: 1,
    lastFailedReason: 'OperandFailed',
    lastFailedTime: '2026-11-21T09:00:00Z',
    lastFailedRevisionErrors: ['it ended'],
  });
  expect(nextNodeStatus('a', once, failed).lastFailedCount).toBe(2);
});

it('forgets failures with the next success, and where the old configuration is wished again', () => {
  const before = nextNodeStatus('a', { nodeName: 'a', currentRevision: 4 }, failed);
  expect(nextNodeStatus('a', before, { kind: 'taken' })).toEqual({ nodeName: 'a', currentRevision: 5 });
  expect(nextNodeStatus('a', before, { kind: 'kept' })).toEqual({ nodeName: 'a', currentRevision: 4 });
});

it('has a field manager for every node, short enough for any name', () => {
  expect(fieldManagerOf('a')).not.toBe(fieldManagerOf('b'));
  expect(fieldManagerOf('a'.repeat(253)).length).toBeLessThanOrEqual(128);
});
