import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { messageOf } from '../../common/failure.ts';
import { readFileIfThere } from '../../common/files.ts';
import { waitFor } from '../../common/waitFor.ts';
import { hashOf } from '../../operator/installer/encryptionFile.ts';
import { readServiceState, tellService } from '../../operator/installer/s6.ts';
import type { KmsBackend } from '../../operator/kmsBackend.ts';
import { type Lease, leaseAt } from '../../operator/lease.ts';
import {
  aescbc,
  encryptionConfiguration,
  identity,
  kms,
  loadedHash,
  nodeStatusOf,
  type RunningInstaller,
  startInstaller,
  superviseDir,
  wishConfiguration,
} from './installerRun.ts';
import { startTestCluster, type TestCluster, type TestNode } from './operatorCluster.ts';

const services = ['kube-apiserver-a', 'kube-apiserver-b'];
const key = randomBytes(32);

let cluster: TestCluster;
let node: TestNode;
let installer: RunningInstaller | undefined;

beforeEach(async () => {
  cluster = await startTestCluster();
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error('no node');
  node = first;
});

afterEach(async () => {
  await installer?.stop();
  installer = undefined;
  await cluster.stop();
});

const running = async (): Promise<readonly string[]> => {
  const states = await Promise.all(services.map((name) => readServiceState(superviseDir(node, name))));
  return services.filter((_, i) => states[i]?.pid !== undefined);
};

const see = (what: string, probe: () => Promise<boolean>, timeoutMs = 30_000): Promise<true> =>
  waitFor(async () => ((await probe()) ? true : undefined), {
    what,
    timeoutMs,
    intervalMs: 20,
    next: `see ${node.dir}`,
  });

/** The one API server that runs has loaded this, and the installer has nothing left to do. */
const seeSettled = (hash: string): Promise<true> =>
  see(`hash ${hash} alone`, async () => {
    if ((await running()).length !== 1 || (await loadedHash(node)) !== hash) return false;
    return (await readFileIfThere(`${node.configurationPath}.previous`)) === undefined;
  });

const wishedKeys = async (): Promise<unknown> => JSON.parse(await readFile(node.wishPath, 'utf8')).keys;

const changeBackend = (spec: object): Promise<KmsBackend> =>
  cluster.client.send({
    method: 'PATCH',
    path: '/apis/understudy.dev/v1alpha1/kmsbackends/cluster',
    body: { spec },
    contentType: 'application/merge-patch+json',
  });

const seeBackend = async (wanted: (backend: KmsBackend) => boolean): Promise<KmsBackend> => {
  const path = '/apis/understudy.dev/v1alpha1/kmsbackends/cluster';
  return waitFor(
    async () => {
      const backend = await cluster.client.send<KmsBackend>({ method: 'GET', path });
      return wanted(backend) ? backend : undefined;
    },
    { what: 'the backend in the wanted state', timeoutMs: 20_000, intervalMs: 20, next: `see ${node.dir}` },
  );
};

test('hands over without a refused connection, and back', async () => {
  const errors: string[] = [];
  let asked = 0;
  const asking = new AbortController();
  const client = (async () => {
    while (!asking.signal.aborted) {
      try {
        const connection = await node.client.connect();
        await connection.ask('/livez/ping').finally(() => connection.close());
        asked += 1;
      } catch (error) {
        errors.push(messageOf(error));
      }
      await sleep(5);
    }
  })();
  installer = startInstaller(node);
  const encrypting = encryptionConfiguration(aescbc(1, key), identity);
  await seeSettled(await wishConfiguration(cluster.client, encrypting));
  expect(await running()).toEqual(['kube-apiserver-b']);
  await see('revision 1', async () => (await nodeStatusOf(cluster.client, node.name))?.currentRevision === 1);
  await seeSettled(await wishConfiguration(cluster.client, encryptionConfiguration(identity, aescbc(1, key))));
  expect(await running()).toEqual(['kube-apiserver-a']);
  await see('revision 2', async () => (await nodeStatusOf(cluster.client, node.name))?.currentRevision === 2);
  asking.abort();
  await client;
  expect(asked).toBeGreaterThan(20);
  expect(errors.filter((error) => error.includes('ECONNREFUSED'))).toEqual([]);
});

test('has the plugin serve new keys before they are asked for, and tells what it serves', async () => {
  installer = startInstaller(node);
  await seeSettled(await wishConfiguration(cluster.client, encryptionConfiguration(identity, kms(1))));
  await seeSettled(await wishConfiguration(cluster.client, encryptionConfiguration(kms(1), identity)));
  expect(await wishedKeys()).toEqual([{ number: 1, version: 1 }]);
  const before = await seeBackend(({ status }) => status?.nodes?.[node.name]?.keys?.['1']?.version === 1);

  const begin = performance.now();
  await changeBackend({ keyVersions: { '1': 2 }, faults: { elsewhere: { kind: 'hang', node: 'another' } } });
  const after = await seeBackend(({ status }) => status?.nodes?.[node.name]?.keys?.['1']?.version === 2);
  expect(performance.now() - begin).toBeLessThan(1_000);
  const [old, now] = [before, after].map(({ status }) => status?.nodes?.[node.name]?.keys?.['1']?.keyID);
  expect(now).not.toBe(old);
  expect(after.status?.nodes?.[node.name]?.observedGeneration).toBe(after.metadata?.generation);
  expect(JSON.parse(await readFile(node.wishPath, 'utf8')).faults).toEqual([]);

  await seeSettled(await wishConfiguration(cluster.client, encryptionConfiguration(kms(2), kms(1), identity)));
  expect(await wishedKeys()).toEqual([
    { number: 1, version: 2 },
    { number: 2, version: 1 },
  ]);
  await seeSettled(await wishConfiguration(cluster.client, encryptionConfiguration(kms(2), identity)));
  expect(await wishedKeys()).toEqual([{ number: 2, version: 1 }]);
});

test('keeps the old API server where the new one cannot start, says why, and takes the next wish', async () => {
  const before = await loadedHash(node);
  installer = startInstaller(node);
  await wishConfiguration(cluster.client, encryptionConfiguration(aescbc(1, Buffer.from('too short'))));
  await see('the failure', async () => (await nodeStatusOf(cluster.client, node.name))?.lastFailedCount === 1);
  expect(await nodeStatusOf(cluster.client, node.name)).toMatchObject({
    lastFailedReason: 'OperandFailed',
    lastFailedRevision: 1,
    lastFailedRevisionErrors: [expect.stringContaining('it ended (exit code 1)')],
  });
  expect(await running()).toEqual(['kube-apiserver-a']);
  expect(await loadedHash(node)).toBe(before);
  expect(hashOf(await readFile(node.configurationPath, 'utf8'))).toBe(before);

  await wishConfiguration(cluster.client, 'resources: {}');
  await see('the next failure', async () => {
    const status = await nodeStatusOf(cluster.client, node.name);
    return status?.lastFailedRevisionErrors?.[0]?.includes('it has no list of resources') === true;
  });
  await seeSettled(await wishConfiguration(cluster.client, encryptionConfiguration(aescbc(1, key), identity)));
  await see('no failure', async () => {
    const status = await nodeStatusOf(cluster.client, node.name);
    return status?.currentRevision === 1 && status.lastFailedCount === undefined;
  });
});

test('brings faults within a second; a new installer goes on from the files of its node', async () => {
  installer = startInstaller(node);
  const writing = await wishConfiguration(cluster.client, encryptionConfiguration(kms(1), identity));
  await seeSettled(writing);
  const begin = performance.now();
  await changeBackend({ faults: { gone: { kind: 'missing-socket' } } });
  await see('the fault', async () => !(await readdir(node.socketsDir)).includes('kms-1.sock'));
  expect(JSON.parse(await readFile(node.wishPath, 'utf8')).faults).toEqual([{ name: 'gone', kind: 'missing-socket' }]);
  expect(performance.now() - begin).toBeLessThan(1_000);

  // A new installer, which finds nothing but the node's files and the backend.
  await installer.stop();
  installer = startInstaller(node);
  await changeBackend({ faults: { gone: null, slow: { kind: 'latency', milliseconds: 5 } } });
  await see('the next fault', async () => {
    const { faults } = JSON.parse(await readFile(node.wishPath, 'utf8'));
    return faults.length === 1 && faults[0].name === 'slow';
  });
  expect(await wishedKeys()).toEqual([{ number: 1, version: 1 }]);
  expect(await loadedHash(node)).toBe(writing);
});

test('goes on where an installer was killed: before, during and after a handover', async () => {
  // After it wrote the file.
  const first = encryptionConfiguration(identity, aescbc(1, key));
  await wishConfiguration(cluster.client, first);
  const old = await readFile(node.configurationPath, 'utf8');
  await writeFile(`${node.configurationPath}.previous`, old);
  await writeFile(node.configurationPath, first);
  installer = startInstaller(node);
  await seeSettled(hashOf(first));
  await installer.stop();

  // After it started the other one, which came up with the new file or with the old one.
  for (const content of [encryptionConfiguration(aescbc(1, key), identity), first]) {
    await wishConfiguration(cluster.client, content);
    const [busy] = await running();
    const idle = services.find((name) => name !== busy) ?? '';
    if (content !== first) await writeFile(node.configurationPath, content);
    await tellService(superviseDir(node, idle), 'up');
    await see('both', async () => (await running()).length === 2);
    installer = startInstaller(node);
    await seeSettled(hashOf(content));
    await installer.stop();
  }

  // Where nobody is wanted at all.
  for (const name of services) await tellService(superviseDir(node, name), 'endForGood');
  await see('none', async () => (await running()).length === 0);
  installer = startInstaller(node);
  await seeSettled(hashOf(first));
  await rm(`${node.configurationPath}.previous`, { force: true });
});

test('hands over in its own turn, which another node ends or lets run out', async () => {
  const place = { namespace: 'openshift-kube-apiserver', name: 'installer-turn' };
  const turnOfAnother = (durationSeconds: number): Lease =>
    leaseAt(cluster.client, place, { identity: 'another', durationSeconds });
  const patient = turnOfAnother(3_600);
  await patient.acquire();
  const before = await loadedHash(node);
  installer = startInstaller(node);
  const first = await wishConfiguration(cluster.client, encryptionConfiguration(identity, kms(1)));
  await see('the plugin with the key', async () => (await readdir(node.socketsDir)).includes('kms-1.sock'));
  for (const end = performance.now() + 1_000; performance.now() < end; await sleep(50)) {
    expect(await running()).toEqual(['kube-apiserver-a']);
  }
  expect(await loadedHash(node)).toBe(before);
  await patient.release();
  await seeSettled(first);

  // Of the node that ended last there is nothing left to wait for.
  expect(await turnOfAnother(1).acquire()).toBe(true);
  await seeSettled(await wishConfiguration(cluster.client, encryptionConfiguration(kms(1), identity)));
});
