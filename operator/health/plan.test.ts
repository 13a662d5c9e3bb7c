import { describe, expect, it } from 'vitest';
import type { OperatorCondition } from '../observation.ts';
import type { Memory } from './memory.ts';
import { type HealthInput, planHealth } from './plan.ts';
import { plugin, start, told } from './testReports.ts';

const intervalMs = 30_000;
const moment = (seconds: number) => ({ monotonic: 5_000_000 + seconds * 1000, wall: start + seconds * 1000 });

const input = (conditions: readonly OperatorCondition[], more: Partial<HealthInput> = {}): HealthInput => ({
  status: { conditions },
  nodes: ['a', 'b'],
  inUse: true,
  intervalMs,
  ...more,
});

/** What is said after looks at these times, seconds. */
const lookAt = (...looks: readonly (readonly [number, HealthInput])[]) => {
  let memory: Memory | undefined;
  let plan: ReturnType<typeof planHealth> | undefined;
  for (const [seconds, look] of looks) {
    plan = planHealth(look, memory, moment(seconds));
    memory = plan.memory;
  }
  if (plan === undefined) throw new Error('no look');
  const [condition] = plan.conditions.conditions;
  return { ...plan, condition };
};

describe('KMSPluginsDegraded', () => {
  it('is False where all are healthy, and says of what', () => {
    const keys = [plugin(), plugin('healthy', { keyID: '2' })];
    expect(lookAt([0, input([told('a', ...keys), told('b', ...keys)])]).condition).toEqual({
      type: 'KMSPluginsDegraded',
      status: 'False',
      reason: 'AsExpected',
      message: 'All KMS plugins are healthy: keys 1, 2 on 2 nodes',
      lastTransitionTime: '2026-11-26T18:00:00Z',
    });
  });

  it('names node, key and cause, the gravest first', () => {
    const unhealthy = plugin('unhealthy', { keyID: '2', detail: 'credential lacks\n decrypt permission' });
    const error = plugin('error', { detail: 'UNAVAILABLE: connection refused' });
    const { condition } = lookAt([0, input([told('a', error), told('b', plugin(), unhealthy)])]);
    expect(condition).toMatchObject({ status: 'True', reason: 'PluginUnhealthy' });
    expect(condition?.message).toBe(
      'node b, key 2: unhealthy: credential lacks decrypt permission\nnode a, key 1: error: UNAVAILABLE: connection refused',
    );
    expect(lookAt([0, input([told('a', error), told('b', plugin())])]).condition).toMatchObject({
      status: 'True',
      reason: 'PluginError',
    });
  });

  it('a node that has not been seen yet is not broken', () => {
    expect(lookAt([0, input([told('a', plugin())])]).condition).toMatchObject({
      status: 'False',
      message: 'All KMS plugins are healthy: key 1 on 1 node\nnode b: not observed yet',
    });
    expect(lookAt([0, input([])]).condition).toMatchObject({
      status: 'False',
      message: 'node a: not observed yet\nnode b: not observed yet',
    });
  });

  it('is Unknown once a node has told nothing new for four intervals', () => {
    const conditions = [told('a', plugin()), told('b', plugin('healthy', { seconds: 100 }))];
    const fresh = lookAt([0, input([told('a', plugin())])], [119, input(conditions)]);
    expect(fresh.condition?.status).toBe('False');
    expect(fresh.recheckAfterMs).toBe(1_000);
    expect(
      lookAt([0, input([told('a', plugin())])], [119, input(conditions)], [120, input(conditions)]).condition,
    ).toMatchObject({
      status: 'Unknown',
      reason: 'ReporterStale',
      message: 'node a: its reporter has told nothing new since 2026-11-26T18:00:00.000Z',
    });
  });

  it('a stale report of a failure is no failure any more, and one that is new again is', () => {
    const failing = input([told('a', plugin('error')), told('b', plugin('healthy', { seconds: 130 }))]);
    expect(lookAt([0, failing], [130, failing]).condition).toMatchObject({
      status: 'Unknown',
      reason: 'ReporterStale',
    });
    const again = input([told('a', plugin('error', { seconds: 131 })), told('b', plugin('healthy', { seconds: 130 }))]);
    expect(lookAt([0, failing], [130, failing], [131, again]).condition).toMatchObject({ status: 'True' });
  });

  it('at its first look it goes by what reports say of themselves; later a wrong clock is no death', () => {
    const old = input([told('a', plugin()), told('b', plugin('healthy', { seconds: 600 }))]);
    expect(lookAt([600, old]).condition).toMatchObject({ status: 'Unknown', reason: 'ReporterStale' });
    const behind = (seconds: number) =>
      input([told('a', plugin('healthy', { seconds })), told('b', plugin('healthy', { seconds: 600 + seconds }))]);
    expect(lookAt([600, behind(0)], [630, behind(30)]).condition?.status).toBe('False');
    // The calendar of node a jumps back by a day.
    expect(lookAt([600, behind(590)], [630, behind(-86_400)]).condition?.status).toBe('False');
    // One that is ahead does not live longer for it.
    const ahead = input([
      told('a', plugin('healthy', { seconds: 9_000 })),
      told('b', plugin('healthy', { seconds: 720 })),
    ]);
    expect(lookAt([600, ahead], [720, ahead]).condition).toMatchObject({ status: 'Unknown' });
  });

  it('nodes may have different KEKs for two intervals: they learn of a new one tick by tick', () => {
    const differ = input([told('a', plugin('healthy', { kekID: 'kek-2' })), told('b', plugin())]);
    const once = lookAt([0, differ]);
    expect(once.condition).toMatchObject({
      status: 'False',
      message:
        'All KMS plugins are healthy: key 1 on 2 nodes\nkey 1: nodes have different KEKs: kek-2 on a; kek-1 on b',
    });
    expect(once.recheckAfterMs).toBe(60_000);
    expect(lookAt([0, differ], [60, differ]).condition).toMatchObject({
      status: 'True',
      reason: 'KEKsDiffer',
      message: 'key 1: nodes have different KEKs: kek-2 on a; kek-1 on b',
    });
    const agree = input([told('a', plugin()), told('b', plugin())]);
    expect(lookAt([0, differ], [30, agree], [70, differ]).condition?.status).toBe('False');
  });

  it('a report that cannot be read is not taken for healthy', () => {
    const { condition } = lookAt([0, input([{ ...told('a'), message: '{' }, told('b', plugin())])]);
    expect(condition).toMatchObject({
      status: 'Unknown',
      reason: 'ReportUnreadable',
      message: 'node a: its report cannot be read',
    });
  });

  it('stays readable, however much is wrong', () => {
    const nodes = Array.from({ length: 100 }, (_, i) => `node-${i}`);
    const error = plugin('error', { detail: '😀'.repeat(1_000) });
    const { condition } = lookAt([
      0,
      input(
        nodes.map((node) => told(node, error)),
        { nodes },
      ),
    ]);
    const lines = condition?.message?.split('\n') ?? [];
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('and 80 more');
    expect(condition?.message?.length).toBeLessThan(6_000);
    expect(condition?.message?.isWellFormed()).toBe(true);
  });

  it('is written only where it says something else, and keeps the time of its status', () => {
    const [condition] = lookAt([0, input([told('a', plugin('error')), told('b', plugin())])]).conditions.conditions;
    if (condition === undefined) throw new Error('no condition');
    const next = input([condition, told('a', plugin('error', { seconds: 30 })), told('b', plugin())]);
    expect(lookAt([30, next]).conditions.changed).toBe(false);
    const more = input([condition, told('a', plugin('unhealthy', { seconds: 60 })), told('b', plugin())]);
    const changed = lookAt([60, more]);
    expect(changed.conditions.changed).toBe(true);
    expect(changed.condition?.lastTransitionTime).toBe(condition.lastTransitionTime);
    const well = input([condition, told('a', plugin('healthy', { seconds: 90 })), told('b', plugin())]);
    expect(lookAt([90, well]).condition?.lastTransitionTime).toBe('2026-11-26T18:01:30Z');
  });
});

describe('what is nobody’s any more', () => {
  const paths = (removal: readonly object[]) =>
    removal.flatMap((operation) =>
      'op' in operation && operation.op === 'remove' && 'path' in operation ? operation.path : [],
    );

  it('a node that left', () => {
    const { removal, condition } = lookAt([
      0,
      input([told('a', plugin()), told('b', plugin('error'))], { nodes: ['a'] }),
    ]);
    expect(paths(removal)).toEqual(['/status/conditions/1']);
    expect(condition).toMatchObject({ status: 'False', message: 'All KMS plugins are healthy: key 1 on 1 node' });
  });

  it('all, an interval after KMS was left, and the roll-up at once', () => {
    const condition: OperatorCondition = { ...told('x'), type: 'KMSPluginsDegraded' };
    const left = input([condition, told('a', plugin()), told('b', plugin())], { inUse: false });
    const first = lookAt([0, left]);
    expect(first.removal).toEqual([]);
    expect(first.conditions).toMatchObject({ conditions: [], changed: true });
    expect(first.recheckAfterMs).toBe(30_000);
    expect(paths(lookAt([0, left], [30, left]).removal)).toEqual(['/status/conditions/2', '/status/conditions/1']);
    const none = lookAt([0, input([], { inUse: false })]);
    expect(none.conditions.changed).toBe(false);
    expect(none.removal).toEqual([]);
  });

  it('a reporter that begins before its plugin’s word is there is let be', () => {
    const begins = (inUse: boolean) => input([told('a', plugin())], { inUse });
    expect(lookAt([0, input([], { inUse: false })], [600, begins(true)]).removal).toEqual([]);
    expect(lookAt([0, begins(false)], [1, begins(true)], [2, begins(false)]).removal).toEqual([]);
  });

  it('of an operator without a KMSBackend, KMS is in use as long as there are reports', () => {
    expect(lookAt([0, input([], { inUse: undefined })]).conditions).toMatchObject({ conditions: [], changed: false });
    expect(lookAt([0, input([told('a', plugin())], { inUse: undefined })]).condition).toMatchObject({
      message: 'All KMS plugins are healthy: key 1 on 1 node',
    });
  });
});
