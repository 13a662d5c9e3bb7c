import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createWake } from './wake.ts';

const never = new AbortController().signal;

it('wakes the one who waits, and the next one who comes', async () => {
  const wake = createWake();
  const waiting = wake.wait(60_000, never);
  wake.ring();
  await waiting;
  wake.ring();
  await wake.wait(60_000, never);
});

it('does not wake for what was seen', async () => {
  const wake = createWake();
  wake.ring();
  wake.hush();
  const waiting = wake.wait(60_000, never);
  const first = await Promise.race([waiting.then(() => 'woken'), setImmediate('waiting')]);
  expect(first).toBe('waiting');
  wake.ring();
  await waiting;
});

it('lets nobody sleep longer than asked, nor past an abort', async () => {
  const wake = createWake();
  const controller = new AbortController();
  await wake.wait(1, never);
  const waiting = wake.wait(60_000, controller.signal);
  controller.abort();
  await waiting;
  await wake.wait(60_000, controller.signal);
  expect(controller.signal.aborted).toBe(true);
});
