import { unionMessage, unionReason } from '../../operator/clusterOperator/union.ts';
import { readKeySecrets, stateOf } from '../../operator/encryptionConfig.ts';
import { decodeEncryptionConfiguration, type ResourceConfiguration } from '../../operator/encryptionConfiguration.ts';
import type { KeyState, Mode, ResourceState } from '../../operator/keyState.ts';
import { configData, encryptedResources } from '../../operator/names.ts';
import type { MigrationObservation } from '../../operator/observation.ts';
import type { ApiServerObject, Condition, EncryptionObjects, OperatorObject, SecretObject } from './objects.ts';

/** What `spec.encryption.type` may be; unset means identity. */
export const encryptionModes = ['KMS', 'aescbc', 'aesgcm', 'identity'] as const;
export type EncryptionMode = (typeof encryptionModes)[number];

/** A key secret, and what the configuration makes of it. */
export interface KeyStatus {
  /** Its number, as in the provider name `1_secrets`. */
  readonly id: string;
  readonly mode: Mode;
  /** As the newest configuration has it: for all resources (`write`), or for any (`read`). */
  readonly state: 'write' | 'read' | 'unused';
  /** Whether all that is stored has been written under it. */
  readonly migrated: boolean;
}

export interface ConditionStatus {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** Objects of a resource that have been written again. */
export interface MigrationProgress {
  readonly done: number;
  readonly total: number;
}

/** How a cluster's secrets and config maps are to be encrypted, and how far that is. */
export interface EncryptionStatus {
  /** `null` where it cannot be known. */
  readonly type: EncryptionMode | null;
  readonly encrypted: ConditionStatus;
  /** `null` before the configuration has one key to write for all resources. */
  readonly writeKey: string | null;
  /** Newest first. */
  readonly keys: readonly KeyStatus[];
  /** While something is written again: by resource, as far as it is counted. `null` otherwise. */
  readonly migration: Readonly<Record<string, MigrationProgress>> | null;
}

/** What of a key secret the operator's own reading wants. */
const secretOf = ({ metadata, data }: SecretObject) => ({
  metadata: { name: metadata.name, annotations: metadata.annotations },
  data,
});

/** Entries of the config secret; none where it is missing or damaged, which the operator tells in a condition. */
const configuredResources = (configSecret: SecretObject | undefined): readonly ResourceConfiguration[] => {
  const content = configSecret?.data[configData.encryptionConfig];
  if (content === undefined) return [];
  try {
    return decodeEncryptionConfiguration(Buffer.from(content, 'base64').toString());
  } catch {
    return [];
  }
};

/** The one key that all resources are written under. */
const commonWriteKey = (resources: readonly ResourceState[]): KeyState | undefined => {
  const [first] = resources.map(({ writeKey }) => writeKey);
  return resources.every(({ writeKey }) => writeKey?.name === first?.name) ? first : undefined;
};

const keyStatuses = ({ keySecrets, configSecret }: EncryptionObjects): Pick<EncryptionStatus, 'writeKey' | 'keys'> => {
  const { keys } = readKeySecrets(keySecrets.map(secretOf));
  const config = { resources: configuredResources(configSecret), plugins: new Map() };
  const resources = [...stateOf(config, keys).values()];
  const writeKey = commonWriteKey(resources)?.name ?? null;
  const readKeys = new Set(resources.flatMap((resource) => resource.readKeys.map(({ name }) => name)));
  return {
    writeKey,
    keys: keys.map(({ name, mode, migrated }) => ({
      id: name,
      mode,
      state: name === writeKey ? 'write' : readKeys.has(name) ? 'read' : 'unused',
      migrated: encryptedResources.every((resource) => migrated.resources.includes(resource)),
    })),
  };
};

const conditionOf = (operator: OperatorObject | undefined, type: string): Condition | undefined =>
  operator?.status.conditions.find((condition) => condition.type === type);

const withoutOperator: ConditionStatus = {
  status: 'Unknown',
  reason: 'OperatorObjectMissing',
  message: 'there is no KubeAPIServer/cluster',
};

const encryptedCondition = (operator: OperatorObject | undefined): ConditionStatus => {
  if (operator === undefined) return withoutOperator;
  const found = conditionOf(operator, 'Encrypted');
  if (found === undefined) return { status: 'Unknown', reason: 'NotReported', message: 'no operator has told yet' };
  return { status: found.status, reason: found.reason, message: found.message };
};

/** After a new key; ours too, after a new version of a key. */
const migratingType = /^Encryption(Migration|Rotation)ControllerProgressing$/;

const migrationStatus = (
  operator: OperatorObject | undefined,
  migrations: readonly MigrationObservation[],
): EncryptionStatus['migration'] => {
  const running = migrations.filter(({ outcome }) => outcome === 'running');
  const isProgressing = operator?.status.conditions.some(
    ({ type, status, reason }) => migratingType.test(type) && status === 'True' && reason === 'Migrating',
  );
  if (running.length === 0 && isProgressing !== true) return null;
  return Object.fromEntries(running.map(({ resource, done = 0, total = 0 }) => [resource, { done, total }]));
};

/** What `spec.encryption.type` comes to; undefined where the API server does not know the kind. */
export const modeAskedFor = (apiServer: ApiServerObject | undefined): EncryptionMode | undefined => {
  if (apiServer === undefined) return undefined;
  const type = apiServer.spec.encryption.type || 'identity';
  return encryptionModes.find((mode) => mode === type);
};

export const encryptionStatus = (objects: EncryptionObjects): EncryptionStatus => ({
  type: modeAskedFor(objects.apiServer) ?? null,
  encrypted: encryptedCondition(objects.operator),
  ...keyStatuses(objects),
  migration: migrationStatus(objects.operator, objects.migrations),
});

const degradedSuffix = 'Degraded';

/** As a condition, so that it shows among what is out of order. */
const secretsCondition = (unreadable: string | undefined): readonly Condition[] =>
  unreadable === undefined
    ? []
    : [{ type: 'SecretsDegraded', status: 'True', reason: 'Unreadable', message: unreadable }];

/**
 * All conditions that say that something is out of order, as one in the words of ClusterOperator/kube-apiserver, but at once.
 * Unknown where none says so, and one cannot tell.
 */
export const degradedStatus = ({ operator, unreadable }: EncryptionObjects): ConditionStatus => {
  if (operator === undefined) return withoutOperator;
  const conditions = [...operator.status.conditions, ...secretsCondition(unreadable)];
  const telling = conditions.filter(({ type }) => type.endsWith(degradedSuffix));
  for (const status of ['True', 'Unknown'] as const) {
    const found = telling.filter((condition) => condition.status === status);
    if (found.length > 0) return { status, reason: unionReason(degradedSuffix, found), message: unionMessage(found) };
  }
  return { status: 'False', reason: 'AsExpected', message: '' };
};
