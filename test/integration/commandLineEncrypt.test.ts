import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PropertyMap } from '../../providers/protocol/values.ts';
import type { Running } from '../e2e/support/home.ts';
import {
  type CommandLineCluster,
  kmsNote,
  nodes,
  paths,
  stack,
  startCommandLineCluster,
  testCondition,
  testKey,
  testKms,
} from './commandLineCluster.ts';

let cluster: CommandLineCluster;

const completed = testCondition('Encrypted', 'True', 'EncryptionCompleted', 'All resources encrypted');
const inProgress = testCondition('Encrypted', 'False', 'EncryptionInProgress', 'Resource secrets is being encrypted');
const keyDegraded = (status: 'True' | 'False') =>
  testCondition('EncryptionKeyControllerDegraded', status, 'Error', 'the plugin on node a is down');

/** `spec.encryption` once it asks for a mode. */
const asked = async (mode: string): Promise<PropertyMap> => {
  const { spec } = (await cluster.api.see(
    paths.apiServer,
    (object) => (object.spec as { encryption?: { type?: string } }).encryption?.type === mode,
  )) as { readonly spec: { readonly encryption: PropertyMap } };
  return spec.encryption;
};

const succeeds = async (running: Running): Promise<PropertyMap> => {
  const { code, stdout, stderr } = await running.finished;
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as PropertyMap;
};

const migrationLease = '/apis/coordination.k8s.io/v1/namespaces/openshift-kube-apiserver-operator/leases';

beforeAll(async () => {
  cluster = await startCommandLineCluster();
  await cluster.api.create('/api/v1/namespaces', { metadata: { name: 'openshift-kube-apiserver-operator' } });
});
afterAll(() => cluster?.stop());

beforeEach(async () => {
  await cluster.api.patch(paths.apiServer, { ...kmsNote(), spec: { encryption: { type: 'identity', kms: null } } });
  await cluster.tell(keyDegraded('False'));
});

test('encrypt KMS asks for it, tells what the operator does, and ends when that is done', async () => {
  await cluster.tell(testCondition('Encrypted', 'False', 'EncryptionDisabled'));
  const running = cluster.home.start('encrypt', 'KMS', stack, '--json');
  expect(await asked('KMS')).toEqual({ type: 'KMS', kms: testKms });
  await cluster.tell(inProgress);
  await cluster.roll(testKey(1, 'KMS', false));
  await running.says(/key 1 \(KMS\) created/);
  const progress = { outcome: 'running', last: 'x', done: 1200, total: 25000 };
  await cluster.api.create(migrationLease, {
    metadata: {
      name: 'encryption-migration-core-secrets',
      annotations: {
        'encryption.apiserver.operator.openshift.io/write-key': '1',
        'understudy.dev/migration': JSON.stringify(progress),
      },
    },
  });
  await running.says(/migrating secrets 1200 of 25000/);
  await cluster.api.delete(`${migrationLease}/encryption-migration-core-secrets`);
  await cluster.roll(testKey(1, 'KMS'));
  await running.says(/everything migrated to key 1/);
  await cluster.tell(completed);
  expect(await succeeds(running)).toMatchObject({ stack, type: 'KMS', changed: true, key: '1' });
});

test('encrypt changes nothing where it is so already', async () => {
  await cluster.roll(testKey(1, 'KMS'));
  await cluster.tell(completed);
  await cluster.api.patch(paths.apiServer, {
    spec: { encryption: { type: 'KMS', kms: { ...testKms } as PropertyMap } },
  });
  const before = await cluster.api.get(paths.apiServer);
  const { code, stdout } = await cluster.home.run('encrypt', 'KMS', stack);
  expect(code).toBe(0);
  expect(stdout).toMatch(/encrypted in etcd by KMS, key 1, as they were: nothing was changed/);
  expect(await cluster.api.get(paths.apiServer)).toEqual(before);
});

test('encrypt aescbc takes the kms block away, and keeps it in the annotation', async () => {
  const other = { ...testKms, vault: { ...testKms.vault, vaultKeyPath: 'transit/keys/by-hand' } };
  const spec = { encryption: { type: 'KMS', kms: other } } as unknown as PropertyMap;
  await cluster.api.patch(paths.apiServer, { spec });
  await cluster.roll(testKey(1, 'KMS'));
  const running = cluster.home.start('encrypt', 'aescbc', stack, '--json');
  expect(await asked('aescbc')).toEqual({ type: 'aescbc' });
  const { metadata } = (await cluster.api.get(paths.apiServer)) as {
    metadata: { annotations: Record<string, string> };
  };
  expect(JSON.parse(metadata.annotations['understudy.dev/kms'] ?? '')).toEqual(other);
  await cluster.roll(testKey(2, 'aescbc'), testKey(1, 'KMS'));
  await cluster.tell(completed);
  expect(await succeeds(running)).toMatchObject({ type: 'aescbc', changed: true, key: '2' });
});

test('encrypt identity ends when everything is decrypted', async () => {
  await cluster.api.patch(paths.apiServer, { spec: { encryption: { type: 'aescbc' } } });
  await cluster.tell(completed);
  const running = cluster.home.start('encrypt', 'identity', stack, '--json');
  await asked('identity');
  await cluster.roll(testKey(3, 'identity'), testKey(2, 'aescbc'));
  await cluster.tell(testCondition('Encrypted', 'False', 'DecryptionCompleted'));
  expect(await succeeds(running)).toMatchObject({ type: 'identity', changed: true });
});

test('what keeps the operator from it is told at once, and is why encrypt gives up', async () => {
  const running = cluster.home.start('encrypt', 'aesgcm', stack, '--timeout', '5s', '--json');
  await asked('aesgcm');
  await cluster.tell(keyDegraded('True'));
  await running.says(/EncryptionKeyControllerDegraded: the plugin on node a is down/);
  const { code, stdout } = await running.finished;
  expect(code).toBe(1);
  expect(JSON.parse(stdout).error).toMatchObject({
    tried: expect.stringContaining('within 5s'),
    got: 'EncryptionKeyControllerDegraded: the plugin on node a is down',
  });
});

test('a patch that the API server refuses fails with its words', async () => {
  const http = { ...testKms, vault: { ...testKms.vault, vaultAddress: 'http://vault.example.com' } };
  await cluster.api.patch(paths.apiServer, kmsNote(http));
  const refused = await cluster.home.run('encrypt', 'KMS', stack);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/must use the 'https' scheme/);
  await cluster.api.patch(paths.apiServer, { metadata: { annotations: { 'understudy.dev/kms': null } } });
  const bare = await cluster.home.run('encrypt', 'KMS', stack);
  expect(bare.code).toBe(1);
  expect(bare.stderr).toMatch(/kms config is required when encryption type is KMS/);
});

test('Ctrl-C leaves the operator to go on', async () => {
  const running = cluster.home.start('encrypt', 'aesgcm', stack);
  await running.says(/asked for aesgcm/);
  process.kill(running.pid, 'SIGINT');
  const { code, stderr } = await running.finished;
  expect(code).toBe(1);
  expect(stderr).toMatch(/interrupted; the operator goes on without this command/);
  expect(await asked('aesgcm')).toEqual({ type: 'aesgcm' });
});

test('migrate-provider goes to the next key and waits for it; without KMS it is refused', async () => {
  const refused = await cluster.home.run('migrate-provider', stack);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/encryption is identity, not KMS/)]);
  await cluster.api.patch(paths.apiServer, {
    spec: { encryption: { type: 'KMS', kms: { ...testKms } as PropertyMap } },
  });
  await cluster.roll(testKey(4, 'KMS'));
  await cluster.tell(completed);
  const running = cluster.home.start('migrate-provider', stack, '--json');
  await cluster.api.see(paths.apiServer, (object) => JSON.stringify(object).includes('transit/keys/test-2'));
  await cluster.roll(testKey(5, 'KMS', false), testKey(4, 'KMS'));
  await running.says(/key 5 \(KMS\) created/);
  await cluster.roll(testKey(5, 'KMS'), testKey(4, 'KMS'));
  expect(await succeeds(running)).toMatchObject({ type: 'KMS', changed: true, key: '5' });
});

test('rotate asks for the next version of the write key, and waits until everything is under it', async () => {
  const keys = { 5: { version: 1, keyID: 'kek-5-1' } };
  await cluster.api.patch(paths.apiServer, {
    spec: { encryption: { type: 'KMS', kms: { ...testKms } as PropertyMap } },
  });
  await cluster.roll(testKey(5, 'KMS'), testKey(4, 'KMS'));
  await cluster.report(keys);
  const running = cluster.home.start('rotate', stack, '--json');
  await cluster.api.see(paths.backend, (object) => JSON.stringify(object.spec).includes('"keyVersions":{"5":2}'));
  await cluster.report({ 5: { version: 2, keyID: 'kek-5-2' } });
  await running.says(new RegExp(`version 2 of key 5 served on ${nodes.length} of ${nodes.length} nodes`));
  const secret = `${paths.secrets}/encryption-key-openshift-kube-apiserver-5`;
  await cluster.api.patch(secret, { metadata: { annotations: { 'understudy.dev/migrated-key-version': '2' } } });
  expect(await succeeds(running)).toMatchObject({ key: '5', version: 2, oldKekID: 'kek-5-1', newKekID: 'kek-5-2' });

  const wrong = await cluster.home.run('rotate', stack, '--key', '9');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/key '9' is no KMS key in use[\s\S]*5, 4/)]);
});

test('rotate is refused where no KMS key is in use', async () => {
  await cluster.roll(testKey(6, 'aescbc'));
  const { code, stderr } = await cluster.home.run('rotate', stack);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/no KMS key is in use/)]);
});
