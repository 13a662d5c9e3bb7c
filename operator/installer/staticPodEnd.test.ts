import { expect, it } from 'vitest';
import { endOf, type MirrorPod } from './staticPodEnd.ts';

const metadata = { annotations: { 'understudy.dev/revision': 'r1' } };
const pod = (container: object): MirrorPod => ({ metadata, status: { containerStatuses: [container] } });

it.each([
  ['before there is a status', { metadata }],
  ['while it starts', pod({ state: { waiting: { reason: 'ContainerCreating' } } })],
  ['while it runs', pod({ state: { running: {} }, lastState: {} })],
])('is no end %s', (_when, mirror) => {
  expect(endOf(mirror, 'r1')).toBeUndefined();
});

it('says the exit code and the last line of the log, also of one that is started again', () => {
  const terminated = { exitCode: 1, message: 'I1126 flags\nError: no kind "Pod" is registered\n' };
  const said = 'exit code 1: Error: no kind "Pod" is registered';
  expect(endOf(pod({ state: { terminated } }), 'r1')).toBe(said);
  expect(endOf(pod({ state: { waiting: {} }, lastState: { terminated } }), 'r1')).toBe(said);
});

it('does not take the end of an earlier start for that of this one', () => {
  expect(endOf(pod({ state: { terminated: { exitCode: 1 } } }), 'r2')).toBeUndefined();
});
