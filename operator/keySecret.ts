import { z } from 'zod';
import { timestampText } from '../common/timestamp.ts';
import { canonicalBase64, textOf, toBase64 } from './base64.ts';
import { decodeKmsConfiguration, encodeKmsConfiguration } from './encryptionConfiguration.ts';
import { isMode, type KeyState, type KmsState, keyNumberOf } from './keyState.ts';
import { decodePluginConfig, encodePluginConfig, pluginFingerprint } from './kmsPluginConfig.ts';
import {
  annotations,
  component,
  componentLabel,
  deletionProtection,
  description,
  keyData,
  managedNamespace,
} from './names.ts';
import type { Secret } from './observation.ts';
import { parseReferenceKey, type ReferenceData, sorted } from './referenceData.ts';

/** A key secret that cannot be used, for instance after an edit by hand. */
export interface InvalidKey {
  readonly secretName: string;
  readonly problem: string;
}

const migratedResources = z.object({
  resources: z.array(z.object({ Group: z.string().default(''), Resource: z.string().default('') })).nullish(),
});

const resourceName = (entry: { readonly Group: string; readonly Resource: string }): string =>
  entry.Group === '' ? entry.Resource : `${entry.Resource}.${entry.Group}`;

const groupAndResource = (name: string): { readonly Group: string; readonly Resource: string } => {
  const dot = name.indexOf('.');
  return dot < 0 ? { Group: '', Resource: name } : { Group: name.slice(dot + 1), Resource: name.slice(0, dot) };
};

/** @throws where it is not the JSON that {@link encodeMigratedResources} makes */
export const decodeMigratedResources = (annotation: string): readonly string[] =>
  (migratedResources.parse(JSON.parse(annotation)).resources ?? []).map(resourceName);

export const encodeMigratedResources = (resources: readonly string[]): string =>
  JSON.stringify({ resources: resources.map(groupAndResource) });

const timestampOf = (secret: Secret, place: string): number | undefined => {
  const text = secret.metadata.annotations?.[annotations.migratedTimestamp];
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new Error(`${place} has invalid ${annotations.migratedTimestamp} annotation: "${text}"`);
  return time;
};

const resourcesOf = (secret: Secret, place: string): readonly string[] => {
  const text = secret.metadata.annotations?.[annotations.migratedResources];
  if (text === undefined || text === '') return [];
  try {
    return decodeMigratedResources(text);
  } catch {
    throw new Error(
      `${place} has invalid ${annotations.migratedResources} annotation: not a list of resources in JSON`,
    );
  }
};

const decoded = <T>(secret: Secret, place: string, key: string, decode: (content: string) => T): T => {
  const content = secret.data?.[key];
  if (content === undefined || content === '') throw new Error(`${key} can not be empty, when mode is KMS`);
  try {
    return decode(textOf(content));
  } catch (thrown) {
    throw new Error(`${place} has invalid ${key} data: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
};

const referenceDataOf = (secret: Secret, place: string, prefix: string, what: string): ReferenceData => {
  const entries = Object.entries(secret.data ?? {}).filter(([key]) => key.startsWith(prefix));
  try {
    return Object.fromEntries(
      entries.map(([key, value]) => [parseReferenceKey(key.slice(prefix.length), value), canonicalBase64(value)]),
    );
  } catch (thrown) {
    throw new Error(`${place} has a malformed ${what} data key: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
};

const kmsOf = (secret: Secret, place: string): KmsState => ({
  encryption: decoded(secret, place, keyData.kmsEncryptionConfig, decodeKmsConfiguration),
  plugin: decoded(secret, place, keyData.kmsPluginConfig, decodePluginConfig),
  secretData: referenceDataOf(secret, place, keyData.kmsPluginSecretPrefix, 'secret'),
  configMapData: referenceDataOf(secret, place, keyData.kmsPluginConfigMapPrefix, 'configmap'),
});

/** @throws where the secret is none that {@link toKeySecret} could have made */
const keyStateOf = (secret: Secret): KeyState => {
  const place = `secret ${secret.metadata.namespace ?? ''}/${secret.metadata.name}`;
  const number = keyNumberOf(secret.metadata.name);
  if (number === undefined) throw new Error(`${place} has an invalid name`);
  const key = canonicalBase64(secret.data?.[keyData.key] ?? '');
  const migrated = { timestamp: timestampOf(secret, place), resources: resourcesOf(secret, place) };
  const notes = secret.metadata.annotations ?? {};
  const mode = notes[annotations.mode];
  if (!isMode(mode)) throw new Error(`${place} has invalid mode: ${mode ?? ''}`);
  const kms = mode === 'KMS' ? kmsOf(secret, place) : undefined;
  if (mode !== 'identity' && key === '') throw new Error(`${place} of mode "${mode}" must have non-empty key`);
  return {
    name: String(number),
    secret: key,
    mode,
    backed: true,
    internalReason: notes[annotations.internalReason] ?? '',
    externalReason: notes[annotations.externalReason] ?? '',
    migrated,
    kms,
  };
};

export const parseKeySecret = (secret: Secret): KeyState | InvalidKey => {
  try {
    return keyStateOf(secret);
  } catch (thrown) {
    return { secretName: secret.metadata.name, problem: thrown instanceof Error ? thrown.message : String(thrown) };
  }
};

export const isInvalid = (key: KeyState | InvalidKey): key is InvalidKey => 'problem' in key;

export const keySecretName = (keyName: string): string => `encryption-key-${component}-${keyName}`;

const prefixed = (prefix: string, data: ReferenceData): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [prefix + key, value]));

const kmsData = ({ encryption, plugin, secretData, configMapData }: KmsState): Readonly<Record<string, string>> => {
  if (plugin === undefined || pluginFingerprint(plugin) === '') {
    throw new Error(`${keyData.kmsPluginConfig} can not be empty, when mode is KMS`);
  }
  return {
    [keyData.kmsEncryptionConfig]: toBase64(encodeKmsConfiguration(encryption)),
    [keyData.kmsPluginConfig]: toBase64(encodePluginConfig(plugin)),
    ...prefixed(keyData.kmsPluginSecretPrefix, secretData),
    ...prefixed(keyData.kmsPluginConfigMapPrefix, configMapData),
  };
};

/** @throws where a key of mode KMS lacks its configuration */
export const toKeySecret = (key: KeyState): Secret => {
  if (key.mode === 'KMS' && key.kms === undefined) {
    throw new Error(`${keyData.kmsEncryptionConfig} can not be empty, when mode is KMS`);
  }
  const { timestamp, resources } = key.migrated;
  return {
    metadata: {
      name: keySecretName(key.name),
      namespace: managedNamespace,
      labels: { [componentLabel]: component },
      annotations: {
        [annotations.description]: description,
        [annotations.mode]: key.mode,
        [annotations.internalReason]: key.internalReason,
        [annotations.externalReason]: key.externalReason,
        ...(timestamp === undefined ? {} : { [annotations.migratedTimestamp]: timestampText(timestamp) }),
        ...(resources.length === 0 ? {} : { [annotations.migratedResources]: encodeMigratedResources(resources) }),
      },
      finalizers: [deletionProtection],
    },
    type: 'Opaque',
    data: sorted({ [keyData.key]: key.secret, ...(key.kms === undefined ? {} : kmsData(key.kms)) }),
  };
};

/**
 * Why a secret that is already there under the name of a new key keeps that key from being made; undefined where it is one that
 * an earlier run made.
 */
export const existingKeyProblem = (existing: Secret): string | undefined =>
  isInvalid(parseKeySecret(existing))
    ? `secret ${existing.metadata.name} is invalid, new keys cannot be created for encryption target`
    : undefined;
