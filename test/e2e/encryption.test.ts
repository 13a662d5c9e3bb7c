import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClusterAccess } from '../../cluster/access.ts';
import { readEtcd } from '../../cluster/etcd.ts';
import { endHome, eventually, type Home, makeHome } from './support/home.ts';
import { createSecret, type Kubectl, readSecret } from './support/kubectl.ts';
import { bringUp, type UpStack } from './support/upStack.ts';

const stack = 'encryption';
const node = `${stack}-control-plane`;
const plain = 'a-plain-text-that-nobody-may-find';

let home: Home;
let kubectl: Kubectl;
let json: UpStack['json'];
let access: ClusterAccess;

/** Everything is stored as the objects ask for, and what was written before can be read. */
const isProven = async () => {
  const report = await json('verify', stack);
  expect(report.roundTrip).toBe(true);
  expect(await readSecret(kubectl, 'first')).toBe(plain);
  return report.resources as Record<
    'secrets' | 'configmaps',
    { checked: number; plaintext: number; byKey: object; byKekID: object }
  >;
};

beforeAll(async () => {
  home = await makeHome();
  ({ kubectl, access, json } = await bringUp(home, stack));
  await createSecret(kubectl, 'first', plain);
});

afterAll(() => endHome(home));

it('is by KMS after up, as status and etcd say', async () => {
  expect(await json('status', stack)).toMatchObject({
    cluster: { ready: true },
    encryption: {
      type: 'KMS',
      encrypted: { status: 'True', reason: 'EncryptionCompleted' },
      writeKey: '1',
      keys: [{ id: '1', mode: 'KMS', state: 'write', migrated: true }],
      migration: null,
    },
    plugins: [{ node, keyID: '1', status: 'healthy' }],
    degraded: { status: 'False', reason: 'AsExpected' },
    faults: [],
  });
  const { secrets } = await isProven();
  expect(secrets).toMatchObject({ plaintext: 0, byKey: { '1_secrets': secrets.checked } });
  expect(await json('encrypt', 'KMS', stack)).toMatchObject({ changed: false, key: '1' });
});

it('leaves no plain text of a secret in etcd', async () => {
  const raw: Buffer[] = [];
  for await (const { key, value } of readEtcd(access, '/kubernetes.io/')) {
    if (key === '/kubernetes.io/secrets/default/first') raw.push(value);
    expect(value.includes(plain), key).toBe(false);
  }
  expect(raw[0]?.toString('latin1').startsWith('k8s:enc:kms:v2:1_secrets:')).toBe(true);
});

it('moves to a new key-encryption key by rotate', async () => {
  const { oldKekID, newKekID } = await json('rotate', stack);
  const { secrets, configmaps } = await isProven();
  expect([secrets.byKekID, configmaps.byKekID]).toEqual([
    { [newKekID]: secrets.checked },
    { [newKekID]: configmaps.checked },
  ]);
  expect(newKekID).not.toBe(oldKekID);
});

it('moves to another provider by migrate-provider', async () => {
  expect(await json('migrate-provider', stack)).toMatchObject({ type: 'KMS', key: '2' });
  const { secrets } = await isProven();
  expect(secrets.byKey).toEqual({ '2_secrets': secrets.checked });
});

it.each([
  ['aescbc', '3', { 3: true }],
  ['aesgcm', '4', { 4: true }],
  ['identity', '5', {}],
  ['KMS', '6', { '6_secrets': true }],
] as const)('changes to %s', async (mode, key, byKey) => {
  expect(await json('encrypt', mode, stack)).toMatchObject({ type: mode, changed: true, key });
  const { secrets } = await isProven();
  expect(Object.keys(secrets.byKey)).toEqual(Object.keys(byKey));
  expect(secrets.plaintext).toBe(mode === 'identity' ? secrets.checked : 0);
});

it('is left as it is by another up, whatever mode that is', async () => {
  expect(await json('encrypt', 'aesgcm', stack)).toMatchObject({ changed: true, key: '7' });
  expect(await json('up', stack)).toMatchObject({ changes: 0, encryption: 'aesgcm' });
  expect(await json('encrypt', 'KMS', stack)).toMatchObject({ changed: true, key: '8' });
  await isProven();
});

it('takes the bare patch to KMS, which the API server completes', async () => {
  const bare = JSON.stringify({ spec: { encryption: { type: 'KMS', kms: null } } });
  const dryRun = ['--type=merge', '--dry-run=server', '-o', 'json', '-p', bare];
  // An API server that has just started learns of the kind within 5 s, and refuses such a patch until then.
  const patched = await eventually('the patch completed', () =>
    kubectl('patch', 'apiservers.config.openshift.io', 'cluster', ...dryRun),
  );
  expect(JSON.parse(patched).spec.encryption).toMatchObject({
    type: 'KMS',
    kms: { type: 'Vault', vault: { vaultAddress: expect.stringMatching(/^https:/) } },
  });
});

it('stays as it is where the API server refuses what is asked for', async () => {
  const http = await home.run('migrate-provider', stack, '--vault-address', 'http://vault.example.com');
  expect([http.code, http.stderr]).toEqual([2, expect.stringContaining('is no https address')]);
  const path = await home.run('migrate-provider', stack, '--key-path', '/nosuch');
  expect([path.code, path.stderr]).toEqual([1, expect.stringContaining('vaultKeyPath')]);
  await isProven();
});

it('has a fault in force until that is cleared', async () => {
  const set = ['fault', 'set', 'hang', '--stack', stack, '--key', '8', '--node', node, '--for', '60s'];
  expect(await json(...set)).toMatchObject({ fault: { name: 'hang', key: 8, node }, nodes: [node] });
  expect((await json('status', stack)).faults).toMatchObject([{ name: 'hang', kind: 'hang' }]);
  expect(await json('fault', 'clear', '--stack', stack)).toMatchObject({ cleared: ['hang'] });
  await isProven();
});
