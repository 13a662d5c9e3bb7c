import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadedHash, nodeStatusOf } from './installerRun.ts';
import { startTestCluster, type TestCluster } from './operatorCluster.ts';
import {
  conditionsOf,
  keySecretsOf,
  patchEncryption,
  type Running,
  seeCondition,
  startInstallers,
  startOperator,
  storedBy,
} from './operatorRun.ts';

let cluster: TestCluster;
let installers: Running;
let operator: Running;

beforeAll(async () => {
  cluster = await startTestCluster(3);
  installers = startInstallers(cluster);
  operator = startOperator(cluster);
});

afterAll(async () => {
  await operator.stop();
  await installers.stop();
  await cluster.stop();
});

test('waits for a node that is down before anything moves, then encrypts on all three', async () => {
  const lost = cluster.nodes[2];
  if (lost === undefined) throw new Error('no third node');
  await lost.kill();
  await patchEncryption(cluster, { type: 'aesgcm' });
  // It has looked at all of them, and decided to wait.
  await seeCondition(cluster, 'EncryptionKeyControllerDegraded', { status: 'False' });
  expect(await keySecretsOf(cluster)).toEqual([]);
  expect((await conditionsOf(cluster)).find(({ type }) => type === 'Encrypted')?.status).not.toBe('True');

  await lost.boot();
  await seeCondition(cluster, 'Encrypted', { status: 'True', reason: 'EncryptionCompleted' }, 100_000);
  expect(Object.keys(await storedBy(cluster))).toEqual(['1']);
  const hashes = await Promise.all(cluster.nodes.map(loadedHash));
  expect(new Set(hashes).size).toBe(1);
  // Readable first, then written: two configurations on every node.
  for (const { name } of cluster.nodes) {
    const revision = async () => (await nodeStatusOf(cluster.client, name))?.currentRevision;
    await expect.poll(revision, { timeout: 5_000 }).toBe(2);
  }
});
