import { describe, expect, it } from 'vitest';
import type { KmsPluginConfig, VaultConfig } from './kmsPluginConfig.ts';
import { isSameProvider, resolveKms } from './kmsProvider.ts';
import { appRoleSecret, base64, caBundle, vaultPlugin } from './testing/fixtures.ts';

const vault = vaultPlugin.vault ?? {};
const changed = (change: VaultConfig): KmsPluginConfig => ({ type: 'Vault', vault: { ...vault, ...change } });
const withData = (data: Readonly<Record<string, string>>) => [{ ...appRoleSecret, data }];
const hashOf = (plugin = vaultPlugin, secrets = [appRoleSecret], maps = [caBundle]) =>
  resolveKms(plugin, secrets, maps).hash;

describe('the hash of a KMS configuration', () => {
  it('has the 8 characters that the CRD asks for, and stays the same for the same input', () => {
    expect(hashOf()).toMatch(/^[A-Za-z0-9_-]{6}==$/);
    expect(hashOf()).toBe(hashOf());
  });

  it.each<[string, string]>([
    ['the image', hashOf(changed({ kmsPluginImage: 'other' }))],
    ['the address', hashOf(changed({ vaultAddress: 'https://other' }))],
    ['the namespace', hashOf(changed({ vaultNamespace: 'other' }))],
    ['the namespace of authentication', hashOf(changed({ vaultAuthNamespace: 'other' }))],
    ['the key path', hashOf(changed({ vaultKeyPath: 'transit/keys/other' }))],
    ['the server name', hashOf(changed({ tls: { ...vault.tls, serverName: 'other' } }))],
    ['no CA', hashOf(changed({ tls: {} }))],
    ['the role', hashOf(vaultPlugin, withData({ 'role-id': base64('other'), 'secret-id': base64('secret') }))],
    [
      'bytes that moved from one value to the next',
      hashOf(vaultPlugin, withData({ 'role-id': base64('roles'), 'secret-id': base64('ecret') })),
    ],
    ['the CA', hashOf(vaultPlugin, [appRoleSecret], [{ ...caBundle, data: { 'ca-bundle.crt': 'other' } }])],
  ])('changes with %s', (_, hash) => {
    expect(hash).not.toBe(hashOf());
  });

  it('does not change with other keys of a secret', () => {
    expect(hashOf(vaultPlugin, withData({ ...appRoleSecret.data, other: base64('x') }))).toBe(hashOf());
  });
});

describe('what a KMS configuration refers to', () => {
  it('is taken along', () => {
    expect(resolveKms(vaultPlugin, [appRoleSecret], [caBundle])).toMatchObject({
      secretData: { 'vault-approle_role-id': base64('role'), 'vault-approle_secret-id': base64('secret') },
      configMapData: { 'vault-ca_ca-bundle.crt': base64('PEM') },
    });
  });

  it.each<[string, () => unknown, string]>([
    [
      'no secret',
      () => hashOf(vaultPlugin, []),
      'failed to get secret vault-approle in openshift-config: secrets "vault-approle" not found',
    ],
    [
      'no role',
      () => hashOf(vaultPlugin, withData({})),
      'secret vault-approle in openshift-config is missing required key "role-id"',
    ],
    ['an empty role', () => hashOf(vaultPlugin, withData({ 'role-id': '', 'secret-id': 'eA==' })), 'must not be empty'],
    [
      'no config map',
      () => hashOf(vaultPlugin, [appRoleSecret], []),
      'failed to get configmap vault-ca in openshift-config: configmaps "vault-ca" not found',
    ],
    [
      'no CA in it',
      () => resolveKms(vaultPlugin, [appRoleSecret], [{ ...caBundle, data: {} }]),
      'configmap vault-ca in openshift-config is missing required key "ca-bundle.crt"',
    ],
    ['another provider', () => hashOf({ type: 'AWS' }), 'unsupported KMS provider type "AWS"'],
    ['no provider', () => resolveKms(undefined, [], []), 'unsupported KMS provider type ""'],
    [
      'another way to authenticate',
      () => hashOf(changed({ authentication: { type: 'Token' } })),
      'unsupported Vault authentication type "Token"',
    ],
    ['no way to authenticate', () => resolveKms({ type: 'Vault' }, [], []), 'unsupported Vault authentication type ""'],
  ])('is missed: %s', (_, resolve, problem) => {
    expect(resolve).toThrow(problem);
  });
});

it.each<[string, VaultConfig, boolean]>([
  ['nothing', {}, true],
  ['the address', { vaultAddress: 'https://other' }, false],
  ['the namespace', { vaultNamespace: 'other' }, false],
  ['the key path', { vaultKeyPath: 'transit/keys/other' }, false],
  ['the image', { kmsPluginImage: 'other' }, true],
  ['TLS', { tls: {} }, true],
  ['authentication', { authentication: {} }, true],
])('whether a change of %s leads to the same key', (_, change, same) => {
  expect(isSameProvider({ ...vault, ...change }, vaultPlugin)).toBe(same);
});

it('another type of provider is never the same', () => {
  expect(isSameProvider(vault, { type: 'AWS' })).toBe(false);
  expect(isSameProvider(vault, undefined)).toBe(false);
});
