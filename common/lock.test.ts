import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withLock } from './lock.ts';

it('lets one in at a time, and tells the other that it waits', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'lock-'));
  const path = join(dir, 'a.lock');
  const order: string[] = [];
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let entered = (): void => {};
  const inside = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const first = withLock(path, async () => {
    entered();
    await gate;
    order.push('first');
  });
  await inside;
  const second = withLock(
    path,
    async () => {
      order.push('second');
    },
    () => {
      order.push('waits');
      open();
    },
  );
  await Promise.all([first, second]);
  expect(order).toEqual(['waits', 'first', 'second']);
  await rm(dir, { recursive: true });
});

it('is not fooled by a holder that removes the file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'lock-'));
  const path = join(dir, 'a.lock');
  let inside = 0;
  const alone = async (): Promise<void> => {
    expect(++inside).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
    await rm(path);
  };
  await Promise.all(Array.from({ length: 8 }, () => withLock(path, alone)));
  await rm(dir, { recursive: true });
});
