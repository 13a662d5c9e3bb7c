import { once } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { interruptibly } from './interruption.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const listeners = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');

it('tells work to stop, takes the same Ctrl-C once, and leaves a second one to the process', async () => {
  const before = listeners();
  const work = interruptibly(async (signal) => {
    await once(signal, 'abort');
    return 'stopped';
  });
  process.emit('SIGINT', 'SIGINT');
  expect(await work).toBe('stopped');
  expect(listeners()).toBe(before + 2);
  process.emit('SIGINT', 'SIGINT');
  vi.advanceTimersByTime(500);
  expect(listeners()).toBe(before);
});

it('leaves nothing behind where nobody interrupts', async () => {
  const before = listeners();
  await interruptibly(async () => {});
  await expect(interruptibly(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(listeners()).toBe(before);
});
