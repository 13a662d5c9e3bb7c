import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { keyIdOf } from './derivation.ts';
import { createKeeper, type Keeper, type KeeperOptions } from './keeper.ts';
import type { KeySource } from './keySource.ts';

const seed = Buffer.alloc(32, 7);

let dir: string;
let lines: { readonly msg: string; readonly key?: number }[];
let keeper: Keeper | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keeper-'));
  lines = [];
  return async () => {
    await keeper?.stop();
    await rm(dir, { recursive: true });
  };
});

/** Notes versions in memory; `raise` may be made to fail. */
const memorySource = (fail: () => Error | undefined = () => undefined): KeySource => {
  const versions = new Map<number, number>();
  return {
    seed,
    version: (number) => versions.get(number) ?? 1,
    raise: async (number, version) => {
      const error = fail();
      if (error !== undefined) throw error;
      versions.set(number, version);
    },
  };
};

const create = (source: KeySource, options: Partial<KeeperOptions> = {}): Keeper => {
  const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) });
  const defaults = { plainSocketPath: undefined, socketDir: dir, timeoutMs: 1_000, onCall: () => {}, log };
  keeper = createKeeper(source, { ...defaults, ...options });
  return keeper;
};

const wish = (versions: Readonly<Record<number, number>>): string =>
  JSON.stringify({ keys: Object.entries(versions).map(([number, version]) => ({ number: Number(number), version })) });

const settled = (): Promise<void> => expect.poll(() => keeper?.isSettled(), { interval: 2 }).toBe(true);
const messages = (): readonly string[] => lines.map(({ msg }) => msg);

test('is settled when there is a wish and all of it is served', async () => {
  const it = create(memorySource());
  expect(it.isSettled()).toBe(false);
  await it.start();
  expect(it.isSettled()).toBe(false);
  it.take(wish({ 1: 1, 2: 3 }));
  expect(it.isSettled()).toBe(false);
  await settled();
  expect(it.keyIds()).toEqual(new Map([1, 2].map((number) => [number, keyIdOf(seed, number, number * 2 - 1)])));
  await it.stop();
  expect(it.isSettled()).toBe(false);
  expect(await readdir(dir)).toEqual([]);
});

test('no file is no wish', async () => {
  const it = create(memorySource());
  it.take(undefined);
  await it.start();
  expect(it.isSettled()).toBe(true);
});

test('a plain plugin waits for no wish', async () => {
  const it = create(memorySource(), { plainSocketPath: join(dir, 'socket.sock'), socketDir: undefined });
  await it.start();
  expect(it.isSettled()).toBe(true);
  expect([...it.keyIds().keys()]).toEqual([0]);
});

test('of many wishes at once the last one is served', async () => {
  const it = create(memorySource());
  await it.start();
  for (let number = 1; number <= 20; number++) it.take(wish({ [number]: number }));
  await settled();
  expect(it.keyIds()).toEqual(new Map([[20, keyIdOf(seed, 20, 20)]]));
});

test('a socket whose fault ends while another key is being changed comes back', async () => {
  const endsAt = Date.now() + 30;
  const noted = memorySource();
  const slow: KeySource = {
    ...noted,
    raise: async (number, version) => {
      await sleep(endsAt + 10 - Date.now());
      await noted.raise(number, version);
    },
  };
  const it = create(slow);
  await it.start();
  const keys = [
    { number: 1, version: 1 },
    { number: 2, version: 2 },
  ];
  const missing = { name: 'missing', kind: 'missing-socket', key: 1, until: new Date(endsAt).toISOString() };
  it.take(JSON.stringify({ keys, faults: [missing] }));
  await expect.poll(() => [...it.keyIds().keys()].sort(), { interval: 2 }).toEqual([1, 2]);
});

test('complains once of each cause, serves the old version meanwhile, and is settled when it is over', async () => {
  let full: Error | undefined = new Error('no space left');
  const it = create(memorySource(() => full));
  await it.start();
  it.take(wish({ 1: 2 }));
  await expect.poll(messages, { interval: 2 }).toContain('could not serve it');
  it.take(wish({ 1: 2, 2: 1 }));
  await expect.poll(() => it.keyIds().size, { interval: 2 }).toBe(2);
  it.take(wish({ 1: 2 }));
  await expect.poll(() => it.keyIds().size, { interval: 2 }).toBe(1);
  expect(messages().filter((msg) => msg.startsWith('could not'))).toEqual(['could not serve it']);
  expect(it.keyIds()).toEqual(new Map([[1, keyIdOf(seed, 1, 1)]]));
  expect(it.isSettled()).toBe(false);
  full = undefined;
  await expect.poll(() => it.isSettled(), { interval: 5, timeout: 3_000 }).toBe(true);
  expect(it.keyIds()).toEqual(new Map([[1, keyIdOf(seed, 1, 2)]]));
});
