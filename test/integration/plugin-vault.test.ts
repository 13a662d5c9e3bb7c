import { execFileSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type KmsClient, kmsClient } from '../../protos/kms/v2/client.ts';
import { createWorkplace, type RunningPlugin, runPlugin, type Workplace } from './plugin.process.ts';

const secretId = 'hunter2-0f0e';

let workplace: Workplace;
let secretIdPath: string;
let caPath: string;
const clients: KmsClient[] = [];

beforeEach(async () => {
  workplace = await createWorkplace();
  const files = join(workplace.dir, 'encryption-config');
  secretIdPath = join(files, 'kms-plugin-secret-vault-approle_secret-id-555');
  caPath = join(files, 'kms-plugin-configmap-vault-ca-bundle_ca-bundle.crt-555');
  await mkdir(files);
  await mkdir(workplace.socketDir);
  await writeFile(secretIdPath, secretId, { mode: 0o400 });
  const subject = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=vault'];
  execFileSync('openssl', ['req', ...subject, '-keyout', '/dev/null', '-out', caPath], { stdio: 'ignore' });
  return async () => {
    for (const client of clients.splice(0)) client.close();
    await workplace.remove();
  };
});

const address = 'https://vault.example.com:8200';

/** The arguments of the sidecar, in their order (library-go, `kms/pluginlifecycle/vault.go`). */
const sidecarArgs = (keyId: string, changes: Readonly<Record<string, string>> = {}): readonly string[] => {
  const args: Readonly<Record<string, string>> = {
    'listen-address': `unix://${workplace.socketDir}/kms-${keyId}.sock`,
    'vault-address': address,
    'vault-key-path': 'transit/keys/my-key',
    'approle-role-id': 'test-role-id',
    'approle-secret-id-path': secretIdPath,
    'tls-ca-file': caPath,
    'tls-sni': 'vault.internal.example.com',
    'vault-namespace': 'my-namespace',
    'vault-auth-namespace': 'my-auth-namespace',
    'metrics-port': '0',
    ...changes,
  };
  return Object.entries(args).map(([flag, value]) => `-${flag}=${value}`);
};

/**
 * As a container of the sidecar's security context runs: nothing can be written but the socket's volume, no capability,
 * and no way to get one.
 */
const confined = (): readonly string[] => {
  const script = [
    'mount --make-rprivate /',
    'mount --bind "$0" "$0"',
    'mount -o remount,bind,ro /',
    'exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"',
  ].join(' && ');
  return ['unshare', '--mount', 'sh', '-c', script, workplace.socketDir];
};

const start = async (
  keyId: string,
  changes: Readonly<Record<string, string>> = {},
): Promise<RunningPlugin & { readonly client: KmsClient }> => {
  const plugin = runPlugin(workplace, sidecarArgs(keyId, changes), confined());
  await plugin.said('serving KMS v2');
  const client = kmsClient(join(workplace.socketDir, `kms-${keyId}.sock`), 10_000);
  clients.push(client);
  return { ...plugin, client };
};

const encrypt = async (client: KmsClient) => {
  const result = await client.encrypt(Buffer.from('seed'));
  if (!result.ok) throw new Error(result.error.message);
  return result.response;
};

test("runs as OpenShift's sidecar does; what one process encrypts another decrypts", async () => {
  const first = await start('555');
  const encrypted = await encrypt(first.client);
  expect(await first.client.status()).toMatchObject({
    response: { version: 'v2', healthz: 'ok', keyId: encrypted.keyId },
  });
  // A later key of the same Vault key, with other credentials.
  const otherSecret = join(workplace.dir, 'secret-id-556');
  await writeFile(otherSecret, 'other');
  const second = await start('556', {
    'approle-secret-id-path': otherSecret,
    'approle-role-id': 'other',
    'vault-address': `${address}/`,
  });
  expect(await second.client.decrypt(encrypted)).toEqual({ ok: true, response: { plaintext: Buffer.from('seed') } });

  for (const plugin of [first, second]) {
    const { code, stdout, stderr } = await plugin.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain(secretId);
  }
  expect(await readdir(workplace.socketDir)).toEqual([]);
  expect((await readdir(workplace.dir)).sort()).toEqual(['encryption-config', 'main.mjs', 'run', 'secret-id-556']);
});

test('another address, namespace or key path is another key', async () => {
  const encrypted = await encrypt((await start('1')).client);
  const others = await Promise.all([
    start('2', { 'vault-address': 'https://other.example.com:8200' }),
    start('3', { 'vault-namespace': 'other' }),
    start('4', { 'vault-key-path': 'transit/keys/other' }),
  ]);
  for (const { client } of others) {
    expect(await client.decrypt(encrypted)).toMatchObject({ error: { code: 'NOT_FOUND' } });
  }
});

describe('a bad value: exit code 2, with flag and value and without the secret', () => {
  test.each([
    ['vault-address', 'http://vault.example.com', 'it is not https'],
    ['vault-address', 'https://me:hunter2-0f0e@vault.example.com', 'it has user info'],
    ['vault-key-path', 'transit/my-key', 'it is not <mount>/keys/<name>'],
    ['approle-secret-id-path', '/nowhere/secret-id', 'ENOENT'],
    ['tls-ca-file', '/dev/null', 'no certificate'],
    ['metrics-port', 'x', 'not a port'],
  ])('-%s=%s', async (flag, value, reason) => {
    const { code, stdout, stderr } = await runPlugin(workplace, sidecarArgs('555', { [flag]: value })).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`could not use --${flag} '`);
    expect(stderr).toContain(reason);
    expect(stderr).toContain('next: ');
    expect(stderr).not.toContain(secretId);
  });

  test('an empty secret ID', async () => {
    const empty = join(workplace.dir, 'empty');
    await writeFile(empty, '\n');
    const { code, stderr } = await runPlugin(workplace, sidecarArgs('555', { 'approle-secret-id-path': empty })).ended;
    expect(code).toBe(2);
    expect(stderr).toContain(`could not use --approle-secret-id-path '${empty}': the file is empty`);
  });
});
