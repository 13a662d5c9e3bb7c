import type { ResourceConfiguration } from './encryptionConfiguration.ts';
import type { InvalidKey } from './keySecret.ts';
import { isInvalid, parseKeySecret } from './keySecret.ts';
import {
  type EncryptionState,
  isSameKey,
  type KeyState,
  type KmsState,
  newestFirst,
  type ResourceState,
} from './keyState.ts';
import { type KmsPluginConfig, pluginFingerprint } from './kmsPluginConfig.ts';
import type { Secret } from './observation.ts';
import { keyOfProvider, providersOf } from './providers.ts';
import { isSameData, noReferenceData, type ReferenceData } from './referenceData.ts';

/** What the plugin of a KMS key is set up with. */
export interface PluginSettings {
  readonly plugin: KmsPluginConfig | undefined;
  readonly secretData: ReferenceData;
  readonly configMapData: ReferenceData;
}

/** Content of the config secret. */
export interface EncryptionConfig {
  readonly resources: readonly ResourceConfiguration[];
  /** By key name. */
  readonly plugins: ReadonlyMap<string, PluginSettings>;
}

/** The valid ones of some key secrets, the newest first, and the others. */
export const readKeySecrets = (
  secrets: readonly Secret[],
): { readonly keys: readonly KeyState[]; readonly invalid: readonly InvalidKey[] } => {
  const parsed = secrets.map(parseKeySecret);
  return {
    keys: newestFirst(parsed.flatMap((key) => (isInvalid(key) ? [] : [key]))),
    invalid: parsed.filter(isInvalid),
  };
};

const mismatch = (keyName: string, one: PluginSettings, other: PluginSettings): string | undefined => {
  const identical = 'from different resources must be identical';
  if (pluginFingerprint(one.plugin) !== pluginFingerprint(other.plugin)) {
    return `KMS plugin config mismatch for keyID ${keyName}: configs ${identical}`;
  }
  if (!isSameData(one.secretData, other.secretData)) {
    return `KMS secret data mismatch for keyID ${keyName}: secret data ${identical}`;
  }
  if (!isSameData(one.configMapData, other.configMapData)) {
    return `KMS configmap data mismatch for keyID ${keyName}: configmap data ${identical}`;
  }
  return undefined;
};

/** @throws where one key comes with two settings */
const pluginsOf = (state: EncryptionState): ReadonlyMap<string, PluginSettings> => {
  const plugins = new Map<string, PluginSettings>();
  for (const { name, kms } of [...state.values()].flatMap(({ readKeys }) => readKeys)) {
    if (kms === undefined || pluginFingerprint(kms.plugin) === '') continue;
    const known = plugins.get(name);
    const problem = known && mismatch(name, known, kms);
    if (problem !== undefined) throw new Error(problem);
    plugins.set(name, { plugin: kms.plugin, secretData: kms.secretData, configMapData: kms.configMapData });
  }
  return plugins;
};

/** The same state gives the same bytes. @throws where one key comes with two settings */
export const configOf = (state: EncryptionState): EncryptionConfig => ({
  resources: [...state]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([resource, keys]) => ({ resources: [resource], providers: providersOf(resource, keys) })),
  plugins: pluginsOf(state),
});

const withPlugin = (key: KeyState, config: EncryptionConfig): KeyState => {
  const settings = config.plugins.get(key.name);
  if (key.kms === undefined || settings === undefined) return key;
  const kms: KmsState = { encryption: key.kms.encryption, ...settings };
  return { ...key, kms };
};

const readResource = (
  providers: ResourceConfiguration['providers'],
  config: EncryptionConfig,
  backed: readonly KeyState[],
): ResourceState => {
  const found = providers.map(keyOfProvider).map((key) => {
    if (key === undefined) return undefined;
    return backed.find((known) => isSameKey(known, key)) ?? withPlugin(key, config);
  });
  const readKeys = found.filter((key) => key !== undefined);
  return {
    writeKey: found[0] ?? readKeys.find((key) => key.mode === 'identity'),
    readKeys: newestFirst(readKeys),
  };
};

/** What a configuration means, its keys completed from their secrets. Entries that {@link configOf} never makes are left out. */
export const stateOf = (config: EncryptionConfig | undefined, backed: readonly KeyState[]): EncryptionState =>
  new Map(
    (config?.resources ?? []).flatMap(({ resources, providers }) => {
      const [resource, ...others] = resources ?? [];
      if (resource === undefined || others.length > 0) return [];
      return [[resource, readResource(providers, config ?? emptyConfig, backed)] as const];
    }),
  );

const emptyConfig: EncryptionConfig = { resources: [], plugins: new Map() };

export const noSettings: PluginSettings = {
  plugin: undefined,
  secretData: noReferenceData,
  configMapData: noReferenceData,
};
