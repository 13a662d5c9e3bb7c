import { canonicalBase64, toBase64 } from './base64.ts';
import { encodeVaultConfig, type KmsPluginConfig, type VaultConfig } from './kmsPluginConfig.ts';
import { configNamespace } from './names.ts';
import type { ConfigMap, Secret } from './observation.ts';
import { type ReferenceData, referenceKey } from './referenceData.ts';

const vaultSecretKeys = ['role-id', 'secret-id'] as const;
const vaultConfigMapKeys = ['ca-bundle.crt'] as const;

/** A KMS configuration and the values that it refers to, in base64. */
export interface ResolvedKms {
  readonly plugin: KmsPluginConfig;
  readonly vault: VaultConfig;
  readonly secretData: ReferenceData;
  readonly configMapData: ReferenceData;
  /** 8 characters that stand for all of it. */
  readonly hash: string;
}

/** @throws where the provider is none that is known */
export const vaultOf = (plugin: KmsPluginConfig | undefined): VaultConfig => {
  if (plugin?.type === 'Vault') return plugin.vault ?? {};
  throw new Error(`unsupported KMS provider type "${plugin?.type ?? ''}"`);
};

const secretNameOf = ({ authentication }: VaultConfig): string => {
  if (authentication?.type === 'AppRole') return authentication.appRole?.secret?.name ?? '';
  throw new Error(`unsupported Vault authentication type "${authentication?.type ?? ''}"`);
};

type Values = readonly (readonly [key: string, value: string])[];

/** Where `kind` is `secret`, `data` is base64; so is the result, always. */
const valuesOf = (
  kind: 'secret' | 'configmap',
  name: string,
  keys: readonly string[],
  data: Readonly<Record<string, string>> | undefined,
): Values => {
  if (name === '') return [];
  if (data === undefined) {
    throw new Error(`failed to get ${kind} ${name} in ${configNamespace}: ${kind}s "${name}" not found`);
  }
  return keys.map((key) => {
    const value = data[key];
    if (value === undefined) throw new Error(`${kind} ${name} in ${configNamespace} is missing required key "${key}"`);
    return [key, kind === 'secret' ? canonicalBase64(value) : toBase64(value)];
  });
};

const referenceData = (name: string, values: Values): ReferenceData =>
  Object.fromEntries(values.map(([key, value]) => [referenceKey(name, key, value), value]));

/** FNV-1, 32 bits: what OpenShift takes for hashes of configuration. */
const fnv = (content: Buffer): Buffer => {
  let hash = 0x811c9dc5;
  for (const byte of content) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(hash);
  return bytes;
};

const configHash = (vault: VaultConfig, values: Values): string => {
  const parts = values.flatMap(([key, value]) => [Buffer.from(key), Buffer.from(value, 'base64')]);
  const hash = fnv(Buffer.concat([Buffer.from(encodeVaultConfig(vault)), ...parts]));
  return hash.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
};

const namedIn = <T extends { readonly metadata: { readonly name: string } }>(objects: readonly T[], name: string) =>
  objects.find(({ metadata }) => metadata.name === name);

/**
 * @throws where the provider is unknown, or an object it refers to is missing or incomplete
 * @see https://github.com/openshift/library-go/blob/master/pkg/operator/encryption/controllers/kms_preflight_controller.go
 */
export const resolveKms = (
  plugin: KmsPluginConfig | undefined,
  secrets: readonly Secret[],
  configMaps: readonly ConfigMap[],
): ResolvedKms => {
  const vault = vaultOf(plugin);
  const secretName = secretNameOf(vault);
  const configMapName = vault.tls?.caBundle?.name ?? '';
  const secretObject = namedIn(secrets, secretName);
  const configMapObject = namedIn(configMaps, configMapName);
  const fromSecret = valuesOf('secret', secretName, vaultSecretKeys, secretObject && (secretObject.data ?? {}));
  const fromMap = valuesOf(
    'configmap',
    configMapName,
    vaultConfigMapKeys,
    configMapObject && (configMapObject.data ?? {}),
  );
  return {
    plugin: { type: 'Vault', vault },
    vault,
    secretData: referenceData(secretName, fromSecret),
    configMapData: referenceData(configMapName, fromMap),
    hash: configHash(vault, [...fromSecret, ...fromMap]),
  };
};

const identifying = ['vaultAddress', 'vaultNamespace', 'vaultKeyPath'] as const;

/** Whether two configurations lead to the same key of the same KMS, so that nothing has to be encrypted anew. */
export const isSameProvider = (wanted: VaultConfig, stored: KmsPluginConfig | undefined): boolean =>
  stored?.type === 'Vault' && identifying.every((field) => (wanted[field] ?? '') === (stored.vault?.[field] ?? ''));
