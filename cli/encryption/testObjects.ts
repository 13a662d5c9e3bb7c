import { toConfigSecret } from '../../operator/configSecret.ts';
import { configOf } from '../../operator/encryptionConfig.ts';
import { toKeySecret } from '../../operator/keySecret.ts';
import { emptyStaticKey, type KeyState, type Mode } from '../../operator/keyState.ts';
import type { KmsPluginConfig } from '../../operator/kmsPluginConfig.ts';
import { encryptedResources } from '../../operator/names.ts';
import type { Secret } from '../../operator/observation.ts';
import {
  apiServerObject,
  backendObject,
  type Condition,
  type EncryptionObjects,
  operatorObject,
  secretObject,
} from './objects.ts';

/** A `kms` block that the API server's schema takes. */
export const testKms: KmsPluginConfig = {
  type: 'Vault',
  vault: {
    kmsPluginImage: `registry.example.com/kms-plugin@sha256:${'0'.repeat(64)}`,
    vaultAddress: 'https://vault.example.com:8200',
    vaultKeyPath: 'transit/keys/test',
    authentication: { type: 'AppRole', appRole: { secret: { name: 'vault-approle' } } },
  },
};

const keyOf = (mode: Mode): string =>
  mode === 'identity' || mode === 'KMS' ? emptyStaticKey : Buffer.alloc(32, 7).toString('base64');

/** A key as its secret has it. */
export const testKey = (name: number, mode: Mode, migrated = true): KeyState => ({
  name: String(name),
  secret: keyOf(mode),
  mode,
  backed: true,
  internalReason: 'key-does-not-exist',
  externalReason: '',
  migrated: {
    timestamp: migrated ? Date.parse('2026-11-21T09:00:00Z') : undefined,
    resources: migrated ? encryptedResources : [],
  },
  kms:
    mode === 'KMS'
      ? {
          encryption: {
            apiVersion: 'v2',
            name: String(name),
            endpoint: `unix:///var/run/kmsplugin/kms-${name}.sock`,
            timeout: '10s',
          },
          plugin: testKms,
          secretData: {},
          configMapData: {},
        }
      : undefined,
});

/** The configuration that has some keys, one of them to write. */
export const testConfigSecret = (writeKey: KeyState | undefined, readKeys: readonly KeyState[]): Secret =>
  toConfigSecret(configOf(new Map(encryptedResources.map((resource) => [resource, { writeKey, readKeys }]))));

export const testCondition = (
  type: string,
  status: Condition['status'],
  reason = 'AsExpected',
  message = '',
): Condition => ({ type, status, reason, message });

export const encrypted = testCondition('Encrypted', 'True', 'EncryptionCompleted', 'All resources encrypted');

interface TestObjects {
  readonly type?: string;
  readonly kms?: object;
  /** Newest first. */
  readonly keys?: readonly KeyState[];
  /** Of `keys`, by number. */
  readonly writeKey?: number;
  readonly readKeys?: readonly number[];
  readonly conditions?: readonly Condition[];
  /** Configurations taken, by node. */
  readonly revisions?: Readonly<Record<string, number>>;
  readonly backend?: object;
  readonly migrations?: EncryptionObjects['migrations'];
}

/** Objects of a cluster as its API server would hand them out. */
export const testObjects = (parts: TestObjects): EncryptionObjects => {
  const { type, kms, keys = [], writeKey, readKeys = [], conditions = [], revisions = {}, backend } = parts;
  const numbered = (number: number): KeyState[] => keys.filter(({ name }) => name === String(number));
  const [written] = writeKey === undefined ? [] : numbered(writeKey);
  const read = readKeys.flatMap(numbered);
  return {
    apiServer: apiServerObject.parse({ metadata: { name: 'cluster' }, spec: { encryption: { type, kms } } }),
    operator: operatorObject.parse({
      status: {
        conditions,
        nodeStatuses: Object.entries(revisions).map(([nodeName, currentRevision]) => ({ nodeName, currentRevision })),
      },
    }),
    keySecrets: keys.map((key) => secretObject.parse(toKeySecret(key))),
    configSecret:
      written === undefined && read.length === 0 ? undefined : secretObject.parse(testConfigSecret(written, read)),
    backend: backend === undefined ? undefined : backendObject.parse({ metadata: { name: 'cluster' }, ...backend }),
    migrations: parts.migrations ?? [],
  };
};
