import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Migrator, openMigrator } from '../../operator/migration/index.ts';
import { type EncryptedApiServer, startEncryptedApiServer } from './encryptedApiServer.ts';
import { createSecrets, ended, namespacePath, until } from './migrationSubject.ts';

const count = 1_500;
const lease =
  '/apis/coordination.k8s.io/v1/namespaces/openshift-kube-apiserver-operator/leases/encryption-migration-core-secrets';

let server: EncryptedApiServer;
const migrators = new Set<Migrator>();
let key: 1 | 2 = 1;

/** A migrator as a new process would have it. */
const open = (): Migrator => {
  const migrator = openMigrator(server.operator, () => {});
  migrators.add(migrator);
  return migrator;
};

const otherKey = async (): Promise<string> => {
  key = key === 1 ? 2 : 1;
  await server.writeWith(key);
  return String(key);
};

const storedByKey = () => ({ [`${key}_secrets`]: count });

beforeAll(async () => {
  server = await startEncryptedApiServer();
  await createSecrets(server, count);
});

afterEach(async () => {
  await Promise.all([...migrators].map((migrator) => migrator.close()));
  migrators.clear();
  const last = open();
  await last.prune('secrets');
  await last.close();
});

afterAll(() => server.stop());

test('every object is stored under the new write key, and unchanged', async () => {
  const { metadata: before } = (await server.kube.get(`${namespacePath}/secrets/secret-7`)) ?? {};
  const writeKey = await otherKey();
  const migrator = open();
  expect(await migrator.observe(['secrets'])).toEqual([]);
  expect(await migrator.ensure('secrets', writeKey)).toMatchObject({ resource: 'secrets', outcome: 'running' });
  expect(await ended(migrator, writeKey)).toEqual({
    resource: 'secrets',
    writeKey,
    outcome: 'succeeded',
    finishedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    done: count,
    total: count,
  });
  expect(await server.storedBy('secrets')).toEqual(storedByKey());
  const { metadata: after } = (await server.kube.get(`${namespacePath}/secrets/secret-7`)) ?? {};
  expect(after).toEqual({
    ...Object(before),
    resourceVersion: expect.not.stringMatching(Object(before).resourceVersion),
  });

  // It is not done again until it is forgotten, also not by the next process.
  const next = open();
  expect(await next.observe(['secrets'])).toEqual([await migrator.ensure('secrets', writeKey)]);
  await next.prune('secrets');
  expect(await next.observe(['secrets'])).toEqual([]);
  expect(await server.kube.get(lease)).toBeUndefined();
  await next.prune('secrets');
});

test('objects that are stored under the write key already are not stored again', async () => {
  const migrator = open();
  const before = await server.revision();
  expect(await ended(migrator, 'again')).toMatchObject({ outcome: 'succeeded', done: count });
  // The checkpoint is written a few times.
  expect((await server.revision()) - before).toBeLessThan(10);
});

test('an API server that is restarted meanwhile delays it and no more', async () => {
  const writeKey = await otherKey();
  const migrator = open();
  await migrator.ensure('secrets', writeKey);
  await until(migrator, ({ done = 0 }) => done > 100);
  await server.restart();
  expect(await ended(migrator, writeKey)).toMatchObject({ outcome: 'succeeded', done: count, total: count });
  expect(await server.storedBy('secrets')).toEqual(storedByKey());
});

test('the next process goes on where one ended', async () => {
  const writeKey = await otherKey();
  const first = open();
  await first.ensure('secrets', writeKey);
  await until(first, ({ done = 0 }) => done > 100);
  await first.close();
  expect(await server.storedBy('secrets')).not.toEqual(storedByKey());

  // As a process that was killed would have left it: the list is at the object with that name.
  const last = 'default/secret-5';
  const passed = Array.from({ length: count }, (_, i) => `default/secret-${i}`).filter((name) => name <= last).length;
  await server.kube.patch(lease, {
    metadata: {
      annotations: {
        'understudy.dev/migration': JSON.stringify({ outcome: 'running', last, done: passed, total: count }),
      },
    },
  });
  const next = open();
  const before = await server.revision();
  expect(await next.observe(['secrets'])).toEqual([
    { resource: 'secrets', writeKey, outcome: 'running', done: passed, total: count },
  ]);
  expect(await ended(next, writeKey)).toMatchObject({ outcome: 'succeeded', done: count, total: count });
  expect((await server.revision()) - before).toBeLessThan(count - passed + 10);
  const stored = await server.storedBy('secrets');
  expect(stored[`${key}_secrets`]).toBeGreaterThanOrEqual(count - passed);
});

test('a checkpoint that nobody can read makes it begin at the beginning', async () => {
  const writeKey = await otherKey();
  const first = open();
  await first.ensure('secrets', writeKey);
  await until(first, ({ done = 0 }) => done > 100);
  await first.close();
  await server.kube.patch(lease, { metadata: { annotations: { 'understudy.dev/migration': '{"last":' } } });
  const next = open();
  expect(await next.observe(['secrets'])).toEqual([]);
  expect(await ended(next, writeKey)).toMatchObject({ outcome: 'succeeded', done: count });
  expect(await server.storedBy('secrets')).toEqual(storedByKey());
});

test('another write key ends what is under way and begins anew', async () => {
  const migrator = open();
  await migrator.ensure('secrets', await otherKey());
  await until(migrator, ({ done = 0 }) => done > 100);
  const writeKey = `${await otherKey()}`;
  expect(await migrator.ensure('secrets', writeKey)).toEqual({ resource: 'secrets', writeKey, outcome: 'running' });
  expect(await ended(migrator, writeKey)).toMatchObject({ outcome: 'succeeded', done: count });
  expect(await server.storedBy('secrets')).toEqual(storedByKey());
});

test('objects that others write, delete and make meanwhile are no failures', async () => {
  const writeKey = await otherKey();
  const migrator = open();
  await migrator.ensure('secrets', writeKey);

  const others = (async () => {
    for (let i = count - 1; i > count - 200; i -= 1) {
      await server.kube.patch(`${namespacePath}/secrets/secret-${i}`, { metadata: { labels: { round: writeKey } } });
      await server.kube.delete(`${namespacePath}/secrets/secret-${i}`);
      await server.kube.create(`${namespacePath}/secrets`, { metadata: { name: `secret-${i}` } });
    }
  })();
  expect(await ended(migrator, writeKey)).toMatchObject({ outcome: 'succeeded' });
  await others;
  expect(await server.storedBy('secrets')).toEqual(storedByKey());
});
