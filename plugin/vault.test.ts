import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { UsageFailure } from '../common/failure.ts';
import { checkVaultFiles, vaultSeed } from './vault.ts';

const key = { address: 'https://vault.example.com:8200', namespace: 'team', keyPath: 'transit/keys/a' };

test('the seed is that of address, namespace and key path, and of nothing else', () => {
  expect(vaultSeed({ ...key })).toEqual(vaultSeed(key));
  // By another HKDF-SHA256; what is in etcd depends on it for ever.
  expect(vaultSeed(key).toString('hex')).toBe('dc8eb6c2b00c14b472454642f894cb5012beeca9bb425d2557de1385b1f54bf7');
  const others = [
    key,
    { ...key, address: 'https://vault.example.com' },
    { ...key, namespace: '' },
    { ...key, keyPath: 'transit/keys/b' },
    { ...key, namespace: 'team","transit', keyPath: 'keys/a' },
  ].map((other) => vaultSeed(other).toString('hex'));
  expect(new Set(others).size).toBe(others.length);
  expect(vaultSeed(key)).toHaveLength(32);
});

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vault-'));
  return () => rm(dir, { recursive: true });
});

const check = async (secretId: string | undefined, ca?: string): Promise<void> => {
  const secretIdPath = join(dir, 'secret-id');
  const caPath = ca === undefined ? undefined : join(dir, 'ca.crt');
  if (secretId !== undefined) await writeFile(secretIdPath, secretId);
  if (caPath !== undefined) await writeFile(caPath, ca ?? '');
  await checkVaultFiles({ kind: 'vault', key, socketPath: '/run/kms.sock', secretIdPath, caPath });
};

test('the secret ID may be anything', async () => {
  await check('0f0e-\n');
});

test.each([
  ['no secret ID', undefined, undefined, '--approle-secret-id-path', 'ENOENT'],
  ['an empty secret ID', '', undefined, '--approle-secret-id-path', 'the file is empty'],
  ['a secret ID of a line alone', '\n', undefined, '--approle-secret-id-path', 'the file is empty'],
  ['an empty CA', 'hunter2', '', '--tls-ca-file', 'no certificate'],
  [
    'a CA that is none',
    'hunter2',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    '--tls-ca-file',
    'no certificate',
  ],
])('%s is refused', async (_name, secretId, ca, flag, reason) => {
  const error = await check(secretId, ca).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageFailure);
  expect(String(error)).toContain(flag);
  expect(String(error)).toContain(reason);
  expect(String(error)).not.toContain('hunter2');
});
