import { describe, expect, it } from 'vitest';
import { decodePluginConfig, encodePluginConfig, type KmsPluginConfig, pluginFingerprint } from './kmsPluginConfig.ts';

const whole: KmsPluginConfig = {
  vault: {
    vaultKeyPath: 'transit/keys/x',
    authentication: { appRole: { secret: { name: 's' } }, type: 'AppRole' },
    tls: { serverName: 'sni', caBundle: { name: 'cm' } },
    vaultAuthNamespace: 'auth',
    vaultNamespace: 'ns',
    vaultAddress: 'https://a',
    kmsPluginImage: 'q<&>\u2028x',
  },
  type: 'Vault',
};

const head =
  '{"kind":"APIServer","apiVersion":"config.openshift.io/v1","metadata":{},"spec":{"servingCerts":{},"clientCA":{"name":""},';

describe('the configuration of a KMS plugin', () => {
  it('has the bytes that OpenShift writes, in whatever order it was given', () => {
    expect(encodePluginConfig(whole)).toBe(
      `${head}"encryption":{"kms":{"type":"Vault","vault":{"kmsPluginImage":"q\\u003c\\u0026\\u003e\\u2028x",` +
        '"vaultAddress":"https://a","vaultNamespace":"ns","vaultAuthNamespace":"auth","tls":{"caBundle":{"name":"cm"},' +
        '"serverName":"sni"},"authentication":{"type":"AppRole","appRole":{"secret":{"name":"s"}}},' +
        '"vaultKeyPath":"transit/keys/x"}}},"audit":{}},"status":{}}\n',
    );
    expect(decodePluginConfig(encodePluginConfig(whole))).toEqual(whole);
  });

  it('leaves out what is empty', () => {
    expect(encodePluginConfig({ type: 'Vault', vault: { vaultAddress: '', tls: { caBundle: { name: '' } } } })).toBe(
      `${head}"encryption":{"kms":{"type":"Vault"}},"audit":{}},"status":{}}\n`,
    );
    expect(encodePluginConfig({ type: '' })).toBe(`${head}"encryption":{},"audit":{}},"status":{}}\n`);
    expect(pluginFingerprint({ type: '', vault: {} })).toBe('');
    expect(pluginFingerprint(undefined)).toBe('');
  });

  it.each([
    ['no JSON', 'nope'],
    ['another kind', '{"kind":"Secret","apiVersion":"v1"}'],
    ['a number for an address', `${head}"encryption":{"kms":{"type":"Vault","vault":{"vaultAddress":7}}}}}`],
  ])('is refused where it is %s', (_, content) => {
    expect(() => decodePluginConfig(content)).toThrow();
  });
});
