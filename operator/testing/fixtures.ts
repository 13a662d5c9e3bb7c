import { toConfigSecret } from '../configSecret.ts';
import { configHashOf } from '../deployed.ts';
import { configOf } from '../encryptionConfig.ts';
import { toKeySecret } from '../keySecret.ts';
import { emptyStaticKey, type KeyState, type Mode, type ResourceState } from '../keyState.ts';
import type { KmsPluginConfig } from '../kmsPluginConfig.ts';
import { annotations, component, configCopyName, configNamespace } from '../names.ts';
import type { EncryptionSpec, Observation, Secret } from '../observation.ts';

export const vaultPlugin: KmsPluginConfig = {
  type: 'Vault',
  vault: {
    kmsPluginImage: `registry.example.com/kms-plugin@sha256:${'a'.repeat(64)}`,
    vaultAddress: 'https://vault.example.com',
    vaultKeyPath: 'transit/keys/one',
    tls: { caBundle: { name: 'vault-ca' } },
    authentication: { type: 'AppRole', appRole: { secret: { name: 'vault-approle' } } },
  },
};

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

export const appRoleSecret: Secret = {
  metadata: { name: 'vault-approle', namespace: configNamespace },
  data: { 'role-id': base64('role'), 'secret-id': base64('secret') },
};

export const caBundle = {
  metadata: { name: 'vault-ca', namespace: configNamespace },
  data: { 'ca-bundle.crt': 'PEM' },
};

export const both = ['secrets', 'configmaps'] as const;

/** A moment that timestamps of tests are near to. */
export const noon = Date.parse('2026-11-21T12:00:00Z');

/** A key as its secret tells it; `migrated` an hour before noon. */
export const keyOf = (number: number, mode: Mode = 'aescbc', migrated: readonly string[] = []): KeyState => ({
  name: String(number),
  secret: mode === 'identity' || mode === 'KMS' ? emptyStaticKey : Buffer.alloc(32, number).toString('base64'),
  mode,
  backed: true,
  internalReason: '',
  externalReason: '',
  migrated: { timestamp: migrated.length === 0 ? undefined : noon - 3_600_000, resources: migrated },
  kms:
    mode === 'KMS'
      ? {
          encryption: {
            apiVersion: 'v2',
            name: String(number),
            endpoint: `unix:///var/run/kmsplugin/kms-${number}.sock`,
            timeout: '10s',
          },
          plugin: vaultPlugin,
          secretData: { 'vault-approle_role-id': base64('role'), 'vault-approle_secret-id': base64('secret') },
          configMapData: { 'vault-ca_ca-bundle.crt': base64('PEM') },
        }
      : undefined,
});

export const secretOf = (...of: Parameters<typeof keyOf>): Secret => {
  const secret = toKeySecret(keyOf(...of));
  return { ...secret, metadata: { ...secret.metadata, resourceVersion: '7' } };
};

export const annotated = (secret: Secret, changes: Readonly<Record<string, string>>): Secret => ({
  ...secret,
  metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, ...changes } },
});

export const migratedAt = (secret: Secret, time: string): Secret =>
  annotated(secret, { [annotations.migratedTimestamp]: time });

/** A config secret with the same keys for each resource; the first of `reads` is written too, where `write` is left out. */
export const configSecretOf = (
  reads: readonly KeyState[],
  write: KeyState | undefined = reads[0],
  resources: readonly string[] = both,
): Secret => {
  const state: ResourceState = { writeKey: write, readKeys: reads };
  const secret = toConfigSecret(configOf(new Map(resources.map((resource) => [resource, state]))));
  return { ...secret, metadata: { ...secret.metadata, resourceVersion: '5' } };
};

/** As {@link configSecretOf}, all keys read, none written. */
export const readOnlyConfigOf = (reads: readonly KeyState[]): Secret => {
  const state: ResourceState = { writeKey: undefined, readKeys: reads };
  const secret = toConfigSecret(configOf(new Map(both.map((resource) => [resource, state]))));
  return { ...secret, metadata: { ...secret.metadata, resourceVersion: '5' } };
};

export const copyOf = (secret: Secret): Secret => ({
  ...secret,
  metadata: { ...secret.metadata, name: configCopyName, namespace: component, resourceVersion: '6' },
});

export const kmsSpec: EncryptionSpec = { type: 'KMS', kms: vaultPlugin };

const nodes = ['cp-1', 'cp-2', 'cp-3'] as const;

/** Three API servers that have loaded `config`, ready plugins, and nothing else unless it is given. */
export const observationOf = (
  changes: Partial<Observation> & { readonly config?: Secret | undefined; readonly mode?: string },
): Observation => {
  const { config, mode = 'aescbc', ...others } = changes;
  return {
    encryption: { type: mode },
    operator: { managementState: 'Managed', conditions: [] },
    controlPlane: nodes,
    apiServers: nodes.map((node) => ({
      node,
      configHash: config === undefined ? 'of the first file' : configHashOf(config),
      keyIDHashes: {},
    })),
    plugins: nodes.map((node) => ({ node, ready: true })),
    keySecrets: [],
    configSecret: config,
    configCopy: config && copyOf(config),
    referencedSecrets: [appRoleSecret],
    referencedConfigMaps: [caBundle],
    migrations: [],
    backend: undefined,
    ...others,
  };
};
