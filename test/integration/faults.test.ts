import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../common/waitFor.ts';
import { type Fault, faultSchema } from '../../plugin/faults/fault.ts';
import { cases, codeOf, type Outcome, plaintext } from './faultCases.ts';
import { type FaultyCluster, type Reply, startFaultyCluster } from './faultsApiServer.ts';
import { type KmsClient, kmsClient } from './plugin.process.ts';

let cluster: FaultyCluster;

/** Key numbers from 1, in the order of the cases, which is that of the API server's providers too. */
const numbered = cases.map((one, index) => ({ ...one, key: index + 1 }));
const keys = numbered.map(({ key }) => key);

const faults = numbered.map(({ key, fault }) => faultSchema.parse({ name: `fault-${key}`, key, ...fault }));

/** Asks with a client of its own until `wanted` holds; milliseconds since `start`. */
const untilMet = (
  socket: string,
  title: string,
  start: number,
  wanted: (client: KmsClient) => Promise<boolean>,
): Promise<number> =>
  waitFor(
    async () => {
      const client = kmsClient(socket);
      try {
        return (await wanted(client)) ? performance.now() - start : undefined;
      } finally {
        client.close();
      }
    },
    { what: `${title} as wished`, timeoutMs: 5_000, intervalMs: 20, next: 'read the log of the plugin' },
  );

const isHonest = async (client: KmsClient): Promise<boolean> => {
  const answers = async (): Promise<boolean> => {
    const [{ version, healthz, keyId }, encrypted] = [await client.status(), await client.encrypt(plaintext)];
    const same = (await client.status()).keyId === keyId && encrypted.keyId === keyId;
    return version === 'v2' && healthz === 'ok' && same && (await client.decrypt(encrypted)).equals(plaintext);
  };
  return Promise.race([answers(), sleep(150, false)]);
};

/** What the API server says of each key that is not well, by number: `[kms-provider-0: …, kms-provider-3: …]`. */
const problemsIn = ({ text }: Reply): ReadonlyMap<number, string> =>
  new Map(
    [...text.matchAll(/kms-provider-(\d+): (.*?)(?=, kms-provider-\d|\]?\s*$)/gs)].map(([, index, problem = '']) => [
      Number(index) + 1,
      problem,
    ]),
  );

/**
 * What the API server says of each key once it says what is expected of all, or after `timeoutMs`. It asks the plugin
 * anew only every 3 or 20 s, and calls that a client of its own gave up waiting for count as failed until then.
 */
const settledProblems = async (
  expected: ReadonlyMap<number, 'ok' | RegExp>,
  timeoutMs: number,
): Promise<ReadonlyMap<number, string>> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = problemsIn(await cluster.ask('/healthz/kms-providers'));
    const settled = [...expected].every(([key, health]) =>
      health === 'ok' ? !found.has(key) : health.test(found.get(key) ?? ''),
    );
    if (settled || performance.now() > deadline) return found;
    await sleep(50);
  }
};

const expectOutcome = ({ status, text }: Reply, outcome: Outcome): void => {
  if (outcome === 'works') expect({ status, text }).toMatchObject({ status: expect.toSatisfy((code) => code < 300) });
  else expect({ status, text }).toEqual({ status: 500, text: expect.stringMatching(outcome) });
};

/** `Status OK` and so on, of one key. */
const callsIn = (metrics: string, key: number): readonly string[] =>
  metrics.split('\n').flatMap((line) => {
    const name = 'apiserver_envelope_encryption_kms_operations_latency_seconds_count';
    if (!line.startsWith(name) || !line.includes(`provider_name="key-${key}"`)) return [];
    const [, code, method] = /grpc_status_code="(\w+)",method_name="[^"]*\/(\w+)"/.exec(line) ?? [];
    // Of a health check that its client did not wait for.
    return code === 'Canceled' ? [] : [`${method} ${code}`];
  });

const invalidKeyIds = (metrics: string): readonly string[] =>
  metrics
    .split('\n')
    .filter((line) => line.startsWith('apiserver_envelope_encryption_invalid_key_id_from_status_total{'));

beforeAll(async () => {
  cluster = await startFaultyCluster(keys);
});

afterAll(() => cluster?.stop());

describe('faults of the plugin, as a real kube-apiserver meets them', () => {
  test('each is met within a second of the wish', async () => {
    const start = performance.now();
    await cluster.wish(faults);
    for (const ms of await Promise.all(
      numbered.map(({ key, title, met }) => untilMet(cluster.socket(key), title, start, met)),
    )) {
      expect(ms).toBeLessThan(1_000);
    }
    expect(keys.filter((key) => !existsSync(cluster.socket(key)))).toEqual(
      numbered.flatMap(({ key, fault }) => (fault.kind === 'missing-socket' ? [key] : [])),
    );
  });

  test('one that is running goes on with the seed that it has: nothing fails at once', async () => {
    for (const { key } of numbered) {
      expectOutcome(await cluster.write(key, 'at-once'), 'works');
      expectOutcome(await cluster.read(key, 'before'), 'works');
      expectOutcome(await cluster.list(key), 'works');
    }
  });

  describe('when it asks Status again, 20 s after the last that went well', () => {
    let problems: ReadonlyMap<number, string>;

    beforeAll(async () => {
      problems = await settledProblems(new Map(numbered.map(({ key, health }) => [key, health])), 40_000);
    });

    test.each(numbered)('health: $title', ({ key, health }) => {
      if (health === 'ok') expect(problems.get(key)).toBeUndefined();
      else expect(problems.get(key)).toMatch(health);
    });

    test('it is not ready any more, but alive', async () => {
      expect(await cluster.ask('/readyz')).toMatchObject({
        status: 500,
        text: expect.stringMatching(/^\[-\]kms-providers failed: reason withheld$/m),
      });
      expect((await cluster.ask('/livez')).status).toBe(200);
    });

    test('writes and reads go on', async () => {
      for (const { key } of numbered) {
        expectOutcome(await cluster.write(key, 'later'), 'works');
        expectOutcome(await cluster.read(key, 'before'), 'works');
      }
    });

    test('a key_id that is not one is counted, and one that changes is encrypted under at once', async () => {
      const { text } = await cluster.ask('/metrics');
      const keyOf = (kind: Fault['kind']): number => numbered.find(({ fault }) => fault.kind === kind)?.key ?? 0;
      expect(invalidKeyIds(text)).toEqual([
        expect.stringContaining(`{error="empty",provider_name="key-${keyOf('empty-key-id')}"}`),
        expect.stringContaining(`{error="too_long",provider_name="key-${keyOf('oversized-key-id')}"}`),
      ]);
      const encrypted = (kind: Fault['kind']): number =>
        Number(
          new RegExp(
            `operations_latency_seconds_count{grpc_status_code="OK",method_name="[^"]*/Encrypt",provider_name="key-${keyOf(kind)}"} (\\d+)`,
          ).exec(text)?.[1],
        );
      expect(encrypted('flip-flop-key-id')).toBeGreaterThan(1);
      expect(encrypted('mismatched-key-id')).toBe(1);
    });
  });

  describe('one that starts while they are set', () => {
    let ready: Promise<void>;
    let problems: ReadonlyMap<number, string>;

    beforeAll(async () => {
      ({ ready } = await cluster.restart());
      const expected = new Map(numbered.map(({ key, started }) => [key, started.health]));
      problems = await settledProblems(expected, 20_000);
    });

    test('is alive and not ready', async () => {
      await waitFor(async () => ((await cluster.ask('/livez')).status === 200 ? true : undefined), {
        what: 'kube-apiserver live',
        timeoutMs: 20_000,
        next: 'read the log of kube-apiserver',
      });
      expect((await cluster.ask('/readyz')).status).toBe(500);
    });

    test.each(numbered)('$title', async ({ key, started, calls }) => {
      if (started.health === 'ok') expect(problems.get(key)).toBeUndefined();
      else expect(problems.get(key)).toMatch(started.health);
      expectOutcome(await cluster.write(key, 'after-start'), started.write);
      expectOutcome(await cluster.read(key, 'before'), started.read);
      const { read } = started;
      await waitFor(
        async () => {
          const { status, text } = await cluster.list(key);
          return (read === 'works' ? status === 200 : status === 429 && read.test(text)) ? true : undefined;
        },
        { what: `a list that ${read}`, timeoutMs: 10_000, intervalMs: 50, next: 'read the log of kube-apiserver' },
      );
      expect([...new Set(callsIn((await cluster.ask('/metrics')).text, key))].sort()).toEqual(calls);
    });

    test('each is over within a second of the wish', async () => {
      const start = performance.now();
      await cluster.wish([]);
      for (const ms of await Promise.all(
        numbered.map(({ key, title }) => untilMet(cluster.socket(key), title, start, isHonest)),
      )) {
        expect(ms).toBeLessThan(1_000);
      }
    });

    test('and then it gets ready by itself, and nothing was lost', async () => {
      await ready;
      for (const { key, started } of numbered) {
        const written = ['before', 'at-once', 'later', ...(started.write === 'works' ? ['after-start'] : [])];
        for (const name of written) expect((await cluster.read(key, name)).text).toContain(`"secret":"${name}"`);
        expectOutcome(await cluster.write(key, 'at-last'), 'works');
        await waitFor(async () => ((await cluster.list(key)).status === 200 ? true : undefined), {
          what: `the list of key ${key}`,
          timeoutMs: 20_000,
          next: 'read the log of kube-apiserver',
        });
      }
    });
  });

  test('a fault ends at its time, without another wish', async () => {
    const [first = 0, second = 0] = keys;
    const endsAt = Date.now() + 1_500;
    const until = new Date(endsAt).toISOString();
    const start = performance.now();
    await cluster.wish([
      { name: 'unhealthy', kind: 'unhealthy', key: first, until },
      { name: 'missing', kind: 'missing-socket', key: second, until },
    ]);
    await untilMet(
      cluster.socket(first),
      'unhealthy',
      start,
      async (client) => (await client.status()).healthz !== 'ok',
    );
    await untilMet(cluster.socket(second), 'missing', start, async (client) => (await codeOf(client.status())) === 14);
    await Promise.all([first, second].map((key) => untilMet(cluster.socket(key), 'honest again', start, isHonest)));
    expect(Date.now() - endsAt).toBeGreaterThanOrEqual(0);
    expect(Date.now() - endsAt).toBeLessThan(1_000);
  });
});
