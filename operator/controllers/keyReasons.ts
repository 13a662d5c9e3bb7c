import { type KeyState, keyNumberOf, type Mode, type ResourceState, unmigrated } from '../keyState.ts';
import type { VaultConfig } from '../kmsPluginConfig.ts';
import { isSameProvider } from '../kmsProvider.ts';
import { encryptedResources } from '../names.ts';

/** How long after its migration a static key is replaced. */
const rotationIntervalMs = 7 * 24 * 60 * 60 * 1000;

export interface KeyWish {
  readonly mode: Mode;
  /** `encryption.reason` of `spec.unsupportedConfigOverrides`. */
  readonly externalReason: string;
  /** For mode KMS. */
  readonly vault: VaultConfig | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface KeyNeed {
  readonly reason: string;
  /** Number of the newest key, 0 for none. */
  readonly latest: number;
}

/**
 * Why a resource needs a new key; undefined where it needs none, or has not finished with the latest.
 * @throws where a KMS key does not tell its provider
 */
export const needOf = ({ readKeys }: ResourceState, wish: KeyWish): KeyNeed | undefined => {
  const [latest] = readKeys;
  if (latest === undefined) return wish.mode === 'identity' ? undefined : { reason: 'key-does-not-exist', latest: 0 };
  const number = keyNumberOf(latest.name);
  if (number === undefined) return { reason: 'key-secret-0-is-invalid', latest: 0 };
  if (!latest.backed) return { reason: `encryption-config-key-${number}-not-backed-by-secret`, latest: number };
  if (readKeys.filter(({ backed }) => backed).length > 2) return undefined;
  if (unmigrated(encryptedResources, latest).length > 0) return undefined;
  const reason = reasonAfter(latest, wish);
  return reason === undefined ? undefined : { reason, latest: number };
};

const reasonAfter = (latest: KeyState, { mode, externalReason, vault, now }: KeyWish): string | undefined => {
  if (latest.mode !== mode) return 'encryption-mode-changed';
  if (mode === 'identity') return undefined;
  // A KMS rotates by itself, and a second key of the same provider would not be another one.
  if (mode === 'KMS') return isSameProvider(vault ?? {}, latest.kms?.plugin) ? undefined : 'kms-provider-changed';
  if (externalReason !== '' && externalReason !== latest.externalReason) return 'external-reason-changed';
  const age = now - (latest.migrated.timestamp ?? Number.NEGATIVE_INFINITY);
  return age > rotationIntervalMs ? 'rotation-interval-has-passed' : undefined;
};

/** The reason for a key by the reasons of its resources: one for all, or each with its resource. */
export const joinReasons = (reasons: ReadonlyMap<string, string>): readonly string[] => {
  const [common, ...others] = new Set(reasons.values());
  if (common !== undefined && others.length === 0 && reasons.size > 1) return [common];
  return [...reasons].map(([resource, reason]) => `${resource}-${reason}`).toSorted();
};
