import { expect, it } from 'vitest';
import type { PluginHealth } from '../common/kmsHealth.ts';
import { createLog } from '../common/log.ts';
import type { Delivery } from './delivery.ts';
import type { Prober } from './prober.ts';
import { gapMs, runReporter } from './reporter.ts';
import type { PluginSocket } from './socket.ts';

const lastChecked = '2026-11-26T18:00:00.000Z';
const socket = (keyID: string): PluginSocket => ({ keyID, path: `/${keyID}` });
const silent = createLog('silent');
const events = { probed: () => {}, delivered: () => {}, dropped: () => {} };
const found = ({ keyID }: PluginSocket) => ({
  report: { keyID, status: 'healthy', kekID: 'k', lastChecked } satisfies PluginHealth,
  seconds: 0,
});

/** Runs ticks with these lists of sockets, one a look, and stops after `ticks`. @returns what was delivered, keys by tick. */
const run = async (
  looks: readonly (readonly string[] | undefined)[],
  ticks: number,
  failing: readonly number[] = [],
): Promise<readonly (readonly string[])[]> => {
  const stop = new AbortController();
  const delivered: string[][] = [];
  let look = 0;
  let tick = 0;
  let tries = 0;
  const prober: Prober = {
    probeAll: async (sockets) => sockets.map(found),
    close: () => {},
  };
  const delivery: Delivery = {
    deliver: async (reports) => {
      if (failing.includes(tries++)) throw new Error('no');
      delivered.push(reports.map(({ keyID }) => keyID));
    },
    close: () => {},
  };
  await runReporter({
    source: {
      current: async () => {
        const sockets = looks[Math.min(look++, looks.length - 1)];
        return sockets?.map(socket);
      },
    },
    prober,
    delivery,
    intervalMs: 1,
    random: () => {
      if (++tick === ticks) stop.abort();
      return 0;
    },
    events,
    log: silent,
    signal: stop.signal,
  });
  return delivered;
};

it('writes at every tick, also where nothing has changed', async () => {
  expect(await run([['1']], 3)).toEqual([['1'], ['1'], ['1']]);
});

it('drops what cannot be delivered, and goes on with newer', async () => {
  expect(await run([['1'], ['1'], ['2'], ['2']], 2, [0])).toEqual([['2']]);
});

it('leaves out a key that was given up while it was asked', async () => {
  expect(await run([['1', '2'], ['2']], 1)).toEqual([['2']]);
});

it('says nothing before it knows which sockets there are', async () => {
  expect(await run([undefined], 3)).toEqual([]);
});

it('takes back what it has said where there are no sockets any more, once, and again if that failed', async () => {
  expect(await run([['1'], ['1'], [], [], [], []], 4)).toEqual([['1'], []]);
  expect(await run([['1'], ['1'], [], [], [], []], 4, [1])).toEqual([['1'], []]);
});

it('does not wait for the next tick where there are other sockets', async () => {
  const stop = new AbortController();
  const delivered: string[][] = [];
  let keys: readonly string[] | undefined;
  const begin = performance.now();
  const soon = setTimeout(() => {
    keys = ['1'];
  }, 20);
  await runReporter({
    source: { current: async () => keys?.map(socket) },
    prober: { probeAll: async (sockets) => sockets.map(found), close: () => {} },
    delivery: {
      deliver: async (reports) => {
        delivered.push(reports.map(({ keyID }) => keyID));
        if (delivered.length === 2) stop.abort();
        keys = ['1', '2'];
      },
      close: () => {},
    },
    intervalMs: 60_000,
    random: () => 0,
    events,
    log: silent,
    signal: stop.signal,
  });
  clearTimeout(soon);
  expect(delivered).toEqual([['1'], ['1', '2']]);
  expect(performance.now() - begin).toBeLessThan(3_000);
});

it('does not wait for the next tick as long as nothing has been delivered', async () => {
  const stop = new AbortController();
  let tries = 0;
  await runReporter({
    source: { current: async () => [socket('1')] },
    prober: { probeAll: async (sockets) => sockets.map(found), close: () => {} },
    delivery: {
      deliver: async () => {
        tries += 1;
        if (tries < 2) throw new Error('no');
        stop.abort();
      },
      close: () => {},
    },
    intervalMs: 60_000,
    random: () => 0,
    events,
    log: silent,
    signal: stop.signal,
  });
  expect(tries).toBe(2);
});

it('never waits longer than the interval, and never in step', () => {
  expect(gapMs('steady', 30_000, 0)).toBe(27_000);
  expect(gapMs('steady', 30_000, 0.999_999)).toBeLessThanOrEqual(30_000);
  expect(gapMs('steady', 30_000, 0.5)).toBeCloseTo(28_500);
});

it('comes soon where nothing has been delivered yet, then at any moment of an interval: nodes begin all at once', () => {
  expect(gapMs('news', 30_000, 0.999)).toBeLessThanOrEqual(1_000);
  expect(gapMs('news', 500, 0.999)).toBeLessThanOrEqual(500);
  expect([0, 0.5, 0.999].map((random) => gapMs('spread', 30_000, random))).toEqual([0, 15_000, 29_970]);
});
