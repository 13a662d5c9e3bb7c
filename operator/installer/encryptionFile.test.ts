import { expect, it } from 'vitest';
import { hashOf, kmsKeysOf } from './encryptionFile.ts';

const kms = (endpoint: string) => ({ kms: { apiVersion: 'v2', name: 'x', endpoint, timeout: '10s' } });
const file = (...providers: readonly object[]) =>
  JSON.stringify({
    kind: 'EncryptionConfiguration',
    resources: ['secrets', 'configmaps'].map((resource) => ({ resources: [resource], providers })),
  });

it('finds each key once, in order', () => {
  const socket = (n: number) => kms(`unix:///var/run/kmsplugin/kms-${n}.sock`);
  expect(kmsKeysOf(file(socket(12), socket(2), { identity: {} }))).toEqual([2, 12]);
});

it('leaves out other providers and other sockets', () => {
  expect(kmsKeysOf(file({ aescbc: { keys: [] } }, kms('unix:///var/run/kmsplugin/socket.sock')))).toEqual([]);
});

it.each(['', 'resources: 1', '{', 'just words'])('refuses %j', (content) => {
  expect(() => kmsKeysOf(content)).toThrow('could not read the encryption configuration');
});

it('hashes as sha256sum does', () => {
  expect(hashOf('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});
