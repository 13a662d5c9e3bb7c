import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../common/waitFor.ts';
import type { Fault } from '../../plugin/faults/fault.ts';
import { type FaultyCluster, startFaultyCluster } from './faultsApiServer.ts';

let cluster: FaultyCluster;

beforeAll(async () => {
  cluster = await startFaultyCluster([1], ['secrets', 'configmaps']);
  // Config maps are there by themselves.
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'before' } };
  expect((await cluster.ask('/api/v1/namespaces/default/secrets', secret)).status).toBe(201);
});

afterAll(() => cluster?.stop());

/** Checks that fail, once they are these: the API server asks the plugin anew only now and then, and starts other things too. */
const seeFailing = (path: string, wanted: readonly string[]): Promise<true> =>
  waitFor(
    async (): Promise<true> => {
      const { text } = await cluster.ask(path);
      const failing = [...text.matchAll(/^\[-\](\S+) failed/gm)].map(([, name = '']) => name);
      if (JSON.stringify(failing.sort()) === JSON.stringify(wanted)) return true;
      throw new Error(failing.join(', '));
    },
    { what: `${wanted.join(', ') || 'nothing'} failing at ${path}`, timeoutMs: 20_000, next: 'read its log' },
  );

const statusOf = async (path: string): Promise<number> => (await cluster.ask(path)).status;

const startInto = async (fault: Fault): Promise<{ readonly ready: Promise<void> }> => {
  await cluster.wish([fault]);
  return cluster.restart();
};

test('an API server that cannot decrypt secrets at its start is neither alive nor ready, though the KMS is well by its word', async () => {
  const { ready } = await startInto({ name: 'f', kind: 'decrypt-only' });
  await seeFailing('/livez', ['poststarthook/storage-readiness']);
  await seeFailing('/readyz', ['informer-sync', 'poststarthook/storage-readiness']);
  expect(await statusOf('/healthz/kms-providers')).toBe(200);
  expect(await statusOf('/api/v1/secrets')).toBe(429);
  expect(await statusOf('/api/v1/configmaps')).toBe(429);
  expect(await statusOf('/api/v1/namespaces')).toBe(200);
  await cluster.wish([]);
  await ready;
  expect(await statusOf('/api/v1/configmaps')).toBe(200);
});

test('one that has no seed is neither, too', async () => {
  const { ready } = await startInto({ name: 'f', kind: 'error', code: 'UNAVAILABLE' });
  await seeFailing('/livez', ['poststarthook/storage-readiness']);
  await seeFailing('/readyz', ['informer-sync', 'kms-providers', 'poststarthook/storage-readiness']);
  expect(await statusOf('/api/v1/secrets')).toBe(429);
  await cluster.wish([]);
  await ready;
});

test('one whose KMS says that it is unhealthy is alive, and reads', async () => {
  const { ready } = await startInto({ name: 'f', kind: 'unhealthy' });
  await seeFailing('/livez', []);
  await seeFailing('/readyz', ['kms-providers']);
  expect(await statusOf('/api/v1/secrets')).toBe(200);
  await cluster.wish([]);
  await ready;
});
