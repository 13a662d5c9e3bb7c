import { describe, expect, test } from 'vitest';
import { UsageFailure } from '../common/failure.ts';
import { parseFlags } from './flags.ts';

/** What OpenShift's operator gives its Vault plugin, in its order (library-go, `kms/pluginlifecycle/vault_test.go`). */
const upstream = [
  '-listen-address=unix:///var/run/kmsplugin/kms-555.sock',
  '-vault-address=https://vault.example.com:8200',
  '-vault-key-path=transit/keys/my-key',
  '-approle-role-id=test-role-id',
  '-approle-secret-id-path=/secrets/kms-plugin-secret-vault-approle_secret-id-555',
  '-tls-ca-file=/secrets/kms-plugin-configmap-vault-ca-bundle_ca-bundle.crt-555',
  '-tls-sni=vault.internal.example.com',
  '-vault-namespace=my-namespace',
  '-vault-auth-namespace=my-auth-namespace',
  '-metrics-port=0',
];

const settings = {
  keys: {
    kind: 'vault',
    key: { address: 'https://vault.example.com:8200', namespace: 'my-namespace', keyPath: 'transit/keys/my-key' },
    socketPath: '/var/run/kmsplugin/kms-555.sock',
    secretIdPath: '/secrets/kms-plugin-secret-vault-approle_secret-id-555',
    caPath: '/secrets/kms-plugin-configmap-vault-ca-bundle_ca-bundle.crt-555',
  },
  timeoutMs: 5_000,
  metricsAddress: undefined,
  logLevel: 'info',
};

/** The operator's arguments with one replaced, or taken out. */
const upstreamWith = (flag: string, value: string | undefined): readonly string[] =>
  upstream.flatMap((arg) => {
    if (!arg.startsWith(`-${flag}=`)) return [arg];
    return value === undefined ? [] : [`-${flag}=${value}`];
  });

describe("the operator's flags", () => {
  test('as it gives them', () => {
    expect(parseFlags(upstream)).toEqual(settings);
  });

  test('with two dashes, and with values apart', () => {
    expect(parseFlags(upstream.map((arg) => `-${arg}`))).toEqual(settings);
    expect(parseFlags(upstream.flatMap((arg) => arg.split('=')))).toEqual(settings);
  });

  test('without those that may be left out', () => {
    const { keys } = settings;
    expect(parseFlags([...upstream.slice(0, 5), '--timeout=3s', '--log-level=debug'])).toEqual({
      ...settings,
      keys: { ...keys, key: { ...keys.key, namespace: '' }, caPath: undefined },
      timeoutMs: 3_000,
      logLevel: 'debug',
    });
  });

  test('metrics on a port', () => {
    expect(parseFlags(upstreamWith('metrics-port', '9808'))).toMatchObject({
      metricsAddress: { host: undefined, port: 9808 },
    });
  });

  test.each([
    ['https://vault.example.com:8200/', 'https://vault.example.com:8200'],
    ['https://Vault.Example.com:443', 'https://vault.example.com'],
    ['https://[::1]:8200', 'https://[::1]:8200'],
  ])('address %s names the key as %s does', (value, address) => {
    expect(parseFlags(upstreamWith('vault-address', value))).toMatchObject({ keys: { key: { address } } });
  });

  test.each(['kv/transit/keys/a', 'a.b~c-d/keys/_', 'transit/keys/keys', 'transit/keys/a.b-c_d'])(
    'key path %s',
    (keyPath) => {
      expect(parseFlags(upstreamWith('vault-key-path', keyPath))).toMatchObject({ keys: { key: { keyPath } } });
    },
  );
});

const messageOf = (args: readonly string[]): string => {
  try {
    parseFlags(args);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageFailure);
    return String(error);
  }
  throw new Error('it was taken');
};

describe('what is refused, by flag and value', () => {
  test.each([
    ['listen-address', '/var/run/kms.sock', 'not the address of a unix socket'],
    ['vault-address', 'vault.example.com', 'not a URL'],
    ['vault-address', 'https://', 'not a URL'],
    ['vault-address', 'http://vault.example.com', 'not https'],
    ['vault-address', 'https://vault.example.com/v1', 'has a path'],
    ['vault-address', 'https://vault.example.com?a=b', 'has a query'],
    ['vault-address', 'https://vault.example.com/?', 'has a query'],
    ['vault-address', 'https://vault.example.com/#', 'has a fragment'],
    ['vault-address', ' https://vault.example.com', 'has spaces'],
    ['vault-address', `https://${'a.'.repeat(252)}example.com`, 'the limit is 512'],
    ['vault-key-path', 'transit/my-key', 'not <mount>/keys/<name>'],
    ['vault-key-path', '/transit/keys/my-key', 'not <mount>/keys/<name>'],
    ['vault-key-path', 'transit/keys/my-key/', 'not <mount>/keys/<name>'],
    ['vault-key-path', 'transit//keys/my-key', 'not <mount>/keys/<name>'],
    ['vault-key-path', '../keys/my-key', 'not <mount>/keys/<name>'],
    ['vault-key-path', 'transit/keys/-my-key', 'not <mount>/keys/<name>'],
    ['vault-key-path', 'transit/keys/my key', 'not <mount>/keys/<name>'],
    ['vault-key-path', 'keys/my-key', 'not <mount>/keys/<name>'],
    ['approle-secret-id-path', 'secret-id', 'not absolute'],
    ['tls-ca-file', 'ca.crt', 'not absolute'],
    ['tls-sni', 'Vault_1', 'not a DNS name'],
    ['vault-namespace', 'root', 'Vault keeps that name'],
    ['vault-namespace', 'team/', 'not the name of a namespace'],
    ['vault-auth-namespace', 'my team', 'not the name of a namespace'],
    ['metrics-port', '-1', 'not a port'],
    ['metrics-port', '65536', 'not a port'],
    ['metrics-port', 'http', 'not a port'],
  ])('-%s=%s', (flag, value, reason) => {
    const message = messageOf(upstreamWith(flag, value));
    expect(message).toContain(`--${flag} '${value}'`);
    expect(message).toContain(reason);
  });

  test('an address with a password, which is not told', () => {
    const message = messageOf(upstreamWith('vault-address', 'https://me:hunter2@vault.example.com'));
    expect(message).toContain('has user info');
    expect(message).not.toContain('hunter2');
  });

  test.each(['listen-address', 'vault-address', 'vault-key-path', 'approle-role-id', 'approle-secret-id-path'])(
    'no -%s, or an empty one',
    (flag) => {
      expect(messageOf(upstreamWith(flag, undefined))).toContain(`--${flag} is missing`);
      expect(messageOf(upstreamWith(flag, ''))).toContain(`--${flag} is empty`);
    },
  );

  test.each(['tls-ca-file', 'tls-sni', 'vault-namespace', 'vault-auth-namespace'])('an empty -%s', (flag) => {
    expect(messageOf(upstreamWith(flag, ''))).toContain(`--${flag} is empty`);
  });

  test('a keystore beside a Vault', () => {
    expect(messageOf([...upstream, '--keystore-dir=/k'])).toContain('--keystore-dir for a plugin with a keystore');
  });
});
