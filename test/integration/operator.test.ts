import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '../../common/waitFor.ts';
import { startTestCluster, type TestCluster, tellPlugin } from './operatorCluster.ts';
import {
  conditionsOf,
  kekIDsOf,
  keySecretsOf,
  kmsEncryption,
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

const createSecret = (namespace: string, name: string, stringData: object): Promise<unknown> =>
  cluster.client.send({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/secrets`,
    body: { metadata: { name }, stringData },
  });

const createAppRole = (name = 'vault-approle'): Promise<unknown> =>
  createSecret('openshift-config', name, { 'role-id': 'role', 'secret-id': 'secret' });

beforeEach(async () => {
  cluster = await startTestCluster();
  for (const node of cluster.nodes) await tellPlugin(cluster.client, node, true);
  await createSecret('default', 'mine', { password: 'hunter2' });
  installers = startInstallers(cluster);
  operator = startOperator(cluster);
});

afterEach(async () => {
  await operator.stop();
  await installers.stop();
  await cluster.stop();
});

const readMine = async (): Promise<string> => {
  const path = '/api/v1/namespaces/default/secrets/mine';
  const { data } = await cluster.client.send<{ data: { password: string } }>({ method: 'GET', path });
  return Buffer.from(data.password, 'base64').toString();
};

const expectStoredBy = async (key: number | undefined): Promise<void> => {
  const stored = Object.keys(await storedBy(cluster)).sort();
  expect(stored).toEqual(key === undefined ? [''] : [`${key}_configmaps`, `${key}_secrets`]);
  expect(await readMine()).toBe('hunter2');
};

const completed = { status: 'True', reason: 'EncryptionCompleted' } as const;
const decrypted = { status: 'False', reason: 'DecryptionCompleted' } as const;

const seeKey = (number: number, annotation: string, value: string): Promise<boolean> =>
  waitFor(
    async () => {
      const keys = await keySecretsOf(cluster);
      const key = keys.find(({ metadata }) => metadata.name.endsWith(`-${number}`));
      if (key?.metadata.annotations?.[annotation] === value) return true;
      throw new Error(JSON.stringify([key?.metadata, await conditionsOf(cluster)]));
    },
    { what: `${annotation} of key ${number}`, timeoutMs: 60_000, intervalMs: 50, next: 'see the conditions' },
  );

/** The operator has finished with the newest key, of this number. */
const seeMigrated = (number: number): Promise<boolean> =>
  seeKey(
    number,
    'encryption.apiserver.operator.openshift.io/migrated-resources',
    '{"resources":[{"Group":"","Resource":"configmaps"},{"Group":"","Resource":"secrets"}]}',
  );

test('follows the patch through static keys, KMS and identity', async () => {
  await createAppRole();
  await patchEncryption(cluster, kmsEncryption('transit/keys/one'));
  await seeCondition(cluster, 'Encrypted', completed);
  await expectStoredBy(1);

  await patchEncryption(cluster, { type: 'aescbc', kms: null });
  await seeMigrated(2);
  await seeCondition(cluster, 'Encrypted', completed);
  expect(Object.keys(await storedBy(cluster))).toEqual(['2']);

  await patchEncryption(cluster, { type: 'identity' });
  await seeMigrated(3);
  await seeCondition(cluster, 'Encrypted', decrypted);
  await expectStoredBy(undefined);

  await patchEncryption(cluster, { type: 'aesgcm' });
  await seeMigrated(4);
  await seeCondition(cluster, 'Encrypted', completed);
  expect(Object.keys(await storedBy(cluster))).toEqual(['4']);
  expect(await readMine()).toBe('hunter2');
});

test('says what is missing for a wish, changes nothing, and goes on once it is there', async () => {
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('no node');
  const missing = async (type: string, reason: string, cause: string): Promise<void> => {
    const condition = await seeCondition(cluster, type, { status: 'True', reason });
    expect(condition.message).toContain(cause);
    expect(await keySecretsOf(cluster)).toEqual([]);
    expect(Object.keys(await storedBy(cluster))).toEqual(['']);
  };
  await patchEncryption(cluster, kmsEncryption('transit/keys/one'));
  await missing('EncryptionKeyControllerDegraded', 'Error', 'vault-approle');

  await tellPlugin(cluster.client, node, false);
  await createAppRole();
  await missing('EncryptionKMSPreflightControllerDegraded', 'PreflightCheckFailed', node.name);

  await tellPlugin(cluster.client, node, true);
  await seeCondition(cluster, 'Encrypted', completed);
  await expectStoredBy(1);
});

test('moves everything to a new version of a KMS key, and says so on the key', async () => {
  await createAppRole();
  await patchEncryption(cluster, kmsEncryption('transit/keys/one'));
  await seeCondition(cluster, 'Encrypted', completed);
  const before = await kekIDsOf(cluster);
  expect(before).toHaveLength(1);
  await cluster.client.send({
    method: 'PATCH',
    path: '/apis/understudy.dev/v1alpha1/kmsbackends/cluster',
    body: { spec: { keyVersions: { '1': 2 } } },
    contentType: 'application/merge-patch+json',
  });
  await seeKey(1, 'understudy.dev/migrated-key-version', '2');
  const after = await kekIDsOf(cluster);
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
  expect(await readMine()).toBe('hunter2');
});
