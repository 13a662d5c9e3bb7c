import { expect, it } from 'vitest';
import { EndingFailure, Failure } from '../common/failure.ts';
import { silentProgress } from '../common/progress.ts';
import type { Stack } from './stack.ts';
import { leavingTheRest, outOfTime, remembering, reserveOf, withinTime } from './upTimeout.ts';

const stack = { name: 'some', clusterDir: '/nonexistent', settings: { platform: 'local' } } as Stack;

it('leaves a quarter of a short time for the end, and never more than ten seconds', () => {
  expect([4_000, 40_000, 600_000].map(reserveOf)).toEqual([1_000, 10_000, 10_000]);
});

it('remembers the phases that have not ended, and what was told last', async () => {
  const { progress, phases, last } = remembering(silentProgress);
  expect(last()).toBe('its first steps');
  progress.note('created Namespace x');
  const end = Promise.withResolvers<void>();
  const phase = progress.phase('box a', () => end.promise);
  expect(phases()).toEqual(['box a']);
  end.resolve();
  await phase;
  expect([phases(), last()]).toEqual([[], "what follows 'box a'"]);
});

it('says what was waited for, its causes, and that nothing is lost', () => {
  const failure = outOfTime('some', '1m', ['it was still at: nodes Ready'], ['pod p: container c: ErrImagePull']);
  expect(failure.message).toBe(
    `\
could not bring up stack some within 1m: it was still at: nodes Ready
pod p: container c: ErrImagePull
  next: mend that and run 'understudy up some' again: it goes on where this ended; 'understudy status some' shows how the stack is`,
  );
});

it('tells work to end, waits for that, and gives its words', async () => {
  let ended = false;
  const run = withinTime(stack, '200ms', silentProgress, ({ signal, ending }) =>
    ending(
      new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => {
          ended = true;
          reject(new Failure({ tried: 'x', got: 'DaemonSet a was not ready when this was cancelled', next: '' }));
        });
      }),
    ),
  );
  await expect(run).rejects.toThrow(/within 200ms: DaemonSet a was not ready when this was cancelled\n {2}next/);
  expect(ended).toBe(true);
});

it('ends in time where work does not', async () => {
  const begin = performance.now();
  const run = withinTime(stack, '300ms', silentProgress, ({ ending }) => ending(new Promise<void>(() => {})));
  await expect(run).rejects.toThrow(/it was still at: its first steps/);
  await expect(run).rejects.toBeInstanceOf(EndingFailure);
  expect(performance.now() - begin).toBeLessThan(1_000);
});

it('lets work that is soon done alone, well or not', async () => {
  expect(await withinTime(stack, '1m', silentProgress, async () => 'done')).toBe('done');
  expect(await withinTime(stack, undefined, silentProgress, async () => 'done')).toBe('done');
  const fails = (): Promise<never> => Promise.reject(new Error('no'));
  await expect(withinTime(stack, '1m', silentProgress, fails)).rejects.toThrow('no');
});

it('refuses what is no time', async () => {
  await expect(withinTime(stack, 'soon', silentProgress, async () => {})).rejects.toThrow(/--timeout.*'soon'/);
});

it('ends with the first of several waits that fails', async () => {
  const parts = { tried: 'see it', got: 'nothing', next: 'look' };
  await expect(leavingTheRest(Promise.reject(new Failure(parts)))).rejects.toBeInstanceOf(EndingFailure);
  await expect(leavingTheRest(Promise.reject(new Error('a bug')))).rejects.not.toBeInstanceOf(Failure);
  expect(await leavingTheRest(Promise.resolve(1))).toBe(1);
});
