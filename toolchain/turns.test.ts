import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

test('two at once, those that wait by their rank, also after one that fails', async () => {
  const turns = createTurns(2);
  const started: string[] = [];
  const gates = new Map<string, () => void>();
  const work = (name: string, rank: number) =>
    turns.take(rank, async () => {
      started.push(name);
      await new Promise<void>((resolve) => gates.set(name, resolve));
      if (name === 'a') throw new Error('a failed');
    });
  const all = [work('a', 9), work('b', 8), work('late', 3), work('first', 1), work('second', 1)];
  const settled = Promise.allSettled(all);
  expect(started).toEqual(['a', 'b']);
  for (const name of ['a', 'b', 'first', 'second', 'late']) {
    await expect.poll(() => gates.get(name)).toBeDefined();
    gates.get(name)?.();
  }
  await settled;
  expect(started).toEqual(['a', 'b', 'first', 'second', 'late']);
  await expect(all[0]).rejects.toThrow('a failed');
});
