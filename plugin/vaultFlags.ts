import { UsageFailure } from '../common/failure.ts';
import { wrong } from '../common/flagValues.ts';
import { socketPathOf } from './flagValues.ts';

/** What a key in Vault is found by. */
export interface VaultKey {
  /** Scheme, host, and port where it is not 443: `https://vault.example.com:8200`. */
  readonly address: string;
  /** Empty for the root namespace. */
  readonly namespace: string;
  /** `<mount>/keys/<name>` */
  readonly keyPath: string;
}

/** One key that looks as if it were in Vault. */
export interface VaultSettings {
  readonly kind: 'vault';
  readonly key: VaultKey;
  readonly socketPath: string;
  /** Must hold something, as it would for Vault; what it holds is of no concern, since credentials change and keys do not. */
  readonly secretIdPath: string;
  readonly caPath: string | undefined;
}

/** The flags that OpenShift's operator starts its Vault plugin with (library-go, `kms/pluginlifecycle/vault.go`). */
export const vaultOptions = {
  'listen-address': { type: 'string' },
  'vault-address': { type: 'string' },
  'vault-key-path': { type: 'string' },
  'approle-role-id': { type: 'string' },
  'approle-secret-id-path': { type: 'string' },
  'tls-ca-file': { type: 'string' },
  'tls-sni': { type: 'string' },
  'vault-namespace': { type: 'string' },
  'vault-auth-namespace': { type: 'string' },
  'metrics-port': { type: 'string' },
} as const;

export type VaultFlag = keyof typeof vaultOptions;

export type VaultFlags = { readonly [Flag in VaultFlag]?: string | undefined };

const longestAddress = 512;
const longestName = 253;
const longestNamespace = 4096;
const longestKeyPath = 1542;

/** An address may come with a password, which is nobody's business. */
const withoutUserInfo = (address: string): string => address.replace(/\/\/.*@/, '//…@');

// The rules for values are those of the CRD (openshift/api, `config/v1/types_kmsencryption.go`).

const addressOf = (flag: VaultFlag, value: string): string => {
  const fail = (got: string): never => {
    throw wrong(flag, withoutUserInfo(value), got, 'give an address such as https://vault.example.com:8200');
  };
  const url = URL.canParse(value) ? new URL(value) : fail('it is not a URL');
  if (/\s/.test(value)) fail('it has spaces');
  if (value.length > longestAddress) fail(`it has ${value.length} characters, the limit is ${longestAddress}`);
  if (url.protocol !== 'https:') fail('it is not https');
  if (value.includes('@')) fail('it has user info');
  if (value.includes('?')) fail('it has a query');
  if (value.includes('#')) fail('it has a fragment');
  if (url.pathname !== '/') fail('it has a path');
  return url.origin;
};

const keyPathOf = (flag: VaultFlag, value: string): string => {
  const wellFormed = /^[\w.~-]+(\/[\w.~-]+)*\/keys\/\w([\w.-]*\w)?$/.test(value);
  const climbs = value.split('/').some((segment) => segment === '.' || segment === '..');
  if (!wellFormed || climbs || value.length > longestKeyPath) {
    throw wrong(flag, value, 'it is not <mount>/keys/<name>', 'give a path such as transit/keys/my-key');
  }
  return value;
};

const reservedNamespaces = ['root', 'sys', 'audit', 'auth', 'cubbyhole', 'identity'];

const namespaceOf = (flag: VaultFlag, value: string): string => {
  const next = 'give the name of a namespace, such as admin/team, or leave the flag out';
  if (reservedNamespaces.includes(value)) throw wrong(flag, value, 'Vault keeps that name for itself', next);
  if (value.endsWith('/') || /\s/.test(value) || value.length > longestNamespace) {
    throw wrong(flag, value, 'it is not the name of a namespace', next);
  }
  return value;
};

const serverNameOf = (flag: VaultFlag, value: string): void => {
  const label = '[a-z0-9]([a-z0-9-]*[a-z0-9])?';
  if (!new RegExp(`^${label}(\\.${label})*$`).test(value) || value.length > longestName) {
    throw wrong(flag, value, 'it is not a DNS name', 'give a name such as vault.example.com');
  }
};

const fileOf = (flag: VaultFlag, value: string): string => {
  if (!value.startsWith('/')) throw wrong(flag, value, 'it is not absolute', 'give the absolute path of a file');
  return value;
};

/**
 * What the operator's flags ask for, files not looked at yet.
 * @throws UsageFailure on a flag that is missing and on a value that does not fit.
 */
export const vaultSettings = (flags: VaultFlags): VaultSettings => {
  const required = (flag: VaultFlag): string => {
    const value = flags[flag];
    if (value !== undefined && value !== '') return value;
    const got = value === undefined ? `--${flag} is missing` : `--${flag} is empty`;
    throw new UsageFailure({ tried: 'stand in for a Vault plugin', got, next: `give --${flag}; see --help` });
  };
  const optional = <T>(flag: VaultFlag, check: (flag: VaultFlag, value: string) => T): T | undefined =>
    flags[flag] === undefined ? undefined : check(flag, required(flag));

  const socketPath = socketPathOf('listen-address', required('listen-address'));
  const address = addressOf('vault-address', required('vault-address'));
  const keyPath = keyPathOf('vault-key-path', required('vault-key-path'));
  required('approle-role-id');
  const secretIdPath = fileOf('approle-secret-id-path', required('approle-secret-id-path'));
  const caPath = optional('tls-ca-file', fileOf);
  optional('tls-sni', serverNameOf);
  const namespace = optional('vault-namespace', namespaceOf) ?? '';
  optional('vault-auth-namespace', namespaceOf);
  return { kind: 'vault', key: { address, namespace, keyPath }, socketPath, secretIdPath, caPath };
};
