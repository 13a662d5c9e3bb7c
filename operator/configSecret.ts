import { canonicalBase64, textOf, toBase64 } from './base64.ts';
import { type EncryptionConfig, noSettings, type PluginSettings } from './encryptionConfig.ts';
import { decodeEncryptionConfiguration, encodeEncryptionConfiguration } from './encryptionConfiguration.ts';
import { decodePluginConfig, encodePluginConfig } from './kmsPluginConfig.ts';
import {
  annotations,
  configData,
  configSecretName,
  deletionProtection,
  description,
  managedNamespace,
} from './names.ts';
import type { Secret } from './observation.ts';
import { parseReferenceKey, type ReferenceData, sorted } from './referenceData.ts';

const pluginEntries = (keyName: string, settings: PluginSettings): readonly (readonly [string, string])[] => [
  ...(settings.plugin === undefined
    ? []
    : [[`${configData.kmsPluginConfigPrefix}${keyName}`, toBase64(encodePluginConfig(settings.plugin))] as const]),
  ...referenceEntries(configData.kmsPluginSecretPrefix, keyName, settings.secretData),
  ...referenceEntries(configData.kmsPluginConfigMapPrefix, keyName, settings.configMapData),
];

const referenceEntries = (
  prefix: string,
  keyName: string,
  data: ReferenceData,
): readonly (readonly [string, string])[] =>
  Object.entries(data).map(([key, value]) => [`${prefix}${key}-${keyName}`, value]);

/** The secret that the configuration is rolled out from. */
export const toConfigSecret = (config: EncryptionConfig): Secret => ({
  metadata: {
    name: configSecretName,
    namespace: managedNamespace,
    annotations: { [annotations.description]: description },
    finalizers: [deletionProtection],
  },
  type: 'Opaque',
  data: sorted({
    [configData.encryptionConfig]: toBase64(encodeEncryptionConfiguration(config.resources)),
    ...Object.fromEntries([...config.plugins].flatMap(([keyName, settings]) => pluginEntries(keyName, settings))),
  }),
});

const keyNumber = /^\d+$/;

const checkedKeyName = (keyName: string, dataKey: string): string => {
  if (keyNumber.test(keyName)) return keyName;
  throw new Error(`data key ${dataKey}: invalid keyID "${keyName}": must be a non-negative integer`);
};

interface ReferenceEntry {
  readonly keyName: string;
  readonly field: 'secretData' | 'configMapData';
  readonly rawKey: string;
}

const referenceFields = [
  [configData.kmsPluginSecretPrefix, 'secretData'],
  [configData.kmsPluginConfigMapPrefix, 'configMapData'],
] as const;

const referenceEntryOf = (dataKey: string): ReferenceEntry | undefined => {
  const [prefix, field] = referenceFields.find(([start]) => dataKey.startsWith(start)) ?? [];
  if (prefix === undefined || field === undefined) return undefined;
  const rest = dataKey.slice(prefix.length);
  const separator = rest.lastIndexOf('-');
  if (separator < 1) return undefined;
  const keyName = checkedKeyName(rest.slice(separator + 1), dataKey);
  return { keyName, field, rawKey: rest.slice(0, separator) };
};

const pluginKeyOf = (dataKey: string): string | undefined => {
  if (!dataKey.startsWith(configData.kmsPluginConfigPrefix)) return undefined;
  const keyName = dataKey.slice(configData.kmsPluginConfigPrefix.length);
  return keyName === '' ? undefined : checkedKeyName(keyName, dataKey);
};

const readPlugins = (data: Readonly<Record<string, string>>): ReadonlyMap<string, PluginSettings> => {
  const plugins = new Map<string, PluginSettings>();
  for (const [dataKey, value] of Object.entries(data)) {
    const pluginKey = pluginKeyOf(dataKey);
    if (pluginKey !== undefined) {
      const plugin = decodePluginConfig(textOf(value));
      plugins.set(pluginKey, { ...(plugins.get(pluginKey) ?? noSettings), plugin });
    }
    const reference = referenceEntryOf(dataKey);
    if (reference !== undefined) {
      const settings = plugins.get(reference.keyName) ?? noSettings;
      const key = parseReferenceKey(reference.rawKey, value);
      const added = { ...settings[reference.field], [key]: canonicalBase64(value) };
      plugins.set(reference.keyName, { ...settings, [reference.field]: added });
    }
  }
  return plugins;
};

/**
 * What a config secret says; undefined where it has no configuration in it.
 * @throws where that cannot be understood
 */
export const readConfigSecret = (secret: Secret): EncryptionConfig | undefined => {
  const data = secret.data ?? {};
  const content = data[configData.encryptionConfig];
  if (content === undefined) return undefined;
  return { resources: decodeEncryptionConfiguration(textOf(content)), plugins: readPlugins(data) };
};
