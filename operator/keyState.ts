import type { KmsConfiguration } from './encryptionConfiguration.ts';
import type { KmsPluginConfig } from './kmsPluginConfig.ts';
import type { ReferenceData } from './referenceData.ts';

export const modes = ['aescbc', 'aesgcm', 'secretbox', 'identity', 'KMS'] as const;
export type Mode = (typeof modes)[number];

export const isMode = (text: string | undefined): text is Mode => modes.some((mode) => mode === text);

export interface KmsState {
  readonly encryption: KmsConfiguration;
  /** undefined where only the encryption configuration knows the key. */
  readonly plugin: KmsPluginConfig | undefined;
  readonly secretData: ReferenceData;
  readonly configMapData: ReferenceData;
}

/** An encryption key, from its secret or, where that is gone, from the encryption configuration. */
export interface KeyState {
  /** Its number in decimal: the prefix of every value in etcd has it. */
  readonly name: string;
  /** base64; 16 zero bytes for identity and KMS. */
  readonly secret: string;
  readonly mode: Mode;
  /** Whether its secret is there and valid. */
  readonly backed: boolean;
  readonly internalReason: string;
  readonly externalReason: string;
  readonly migrated: {
    /** Milliseconds since 1970; undefined where nothing has been migrated. */
    readonly timestamp: number | undefined;
    /** `secrets`, `configmaps`; `<resource>.<group>` outside of the core group. */
    readonly resources: readonly string[];
  };
  /** Of mode KMS only. */
  readonly kms: KmsState | undefined;
}

/** Keys of a resource. */
export interface ResourceState {
  readonly writeKey: KeyState | undefined;
  /** The write key too; the newest first. */
  readonly readKeys: readonly KeyState[];
}

/** By resource. */
export type EncryptionState = ReadonlyMap<string, ResourceState>;

/** What identity and KMS keys have for a key: never used, but of a length that AES accepts. */
export const emptyStaticKey = Buffer.alloc(16).toString('base64');

/** Number at the end of a key's or its secret's name. */
export const keyNumberOf = (name: string): number | undefined => {
  const digits = name.slice(name.lastIndexOf('-') + 1);
  const number = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
};

/** The same number, mode and key; what annotations say is left aside. */
export const isSameKey = (one: KeyState, other: KeyState): boolean =>
  one.mode === other.mode &&
  one.secret === other.secret &&
  keyNumberOf(one.name) !== undefined &&
  keyNumberOf(one.name) === keyNumberOf(other.name);

export const newestFirst = (keys: readonly KeyState[]): readonly KeyState[] =>
  keys.toSorted((one, other) => (keyNumberOf(other.name) ?? 0) - (keyNumberOf(one.name) ?? 0));

/** Those of `resources` that have not been written again with this key. */
export const unmigrated = (resources: readonly string[], key: KeyState): readonly string[] =>
  resources.filter((resource) => !key.migrated.resources.includes(resource));

/**
 * Keys that stored data may still need, and one older for the sake of backups: down to the key by which, together with the newer ones,
 * every resource has been migrated.
 */
export const keysStillNeeded = (resources: readonly string[], keys: readonly KeyState[]): readonly KeyState[] => {
  let missing = resources;
  for (const [index, key] of keys.entries()) {
    missing = unmigrated(missing, key);
    if (missing.length === 0) return keys.slice(0, index + 2);
  }
  return keys;
};
