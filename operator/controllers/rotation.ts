import { degraded, degradedType, isFalse, isTrue, progressingType } from '../conditions.ts';
import { keySecretName } from '../keySecret.ts';
import { type KeyState, unmigrated } from '../keyState.ts';
import { annotations, encryptedResources } from '../names.ts';
import type { Observation, Secret } from '../observation.ts';
import { kmsProviderName } from '../providers.ts';
import { sha256 } from '../sha256.ts';
import type { Settled, Situation } from '../situation.ts';
import { type Controller, type Outcome, soonMs } from './controller.ts';
import { isStable, joinProblems } from './migration.ts';
import { migrationStep, progressText, readableResource } from './migrations.ts';

const name = 'EncryptionRotation';

/** The write key of a rotation's migration: another than that of the key's first migration, `1`. */
export const rotationWriteKey = (keyName: string, version: number): string => `${keyName}@${version}`;

const idle: Outcome = { actions: [], conditions: [isFalse(degradedType(name)), isFalse(progressingType(name))] };

/** The KMS key that everything is written with; undefined while that is not so. */
const settledKmsKey = (settled: Settled): KeyState | undefined => {
  const [key] = [...settled.current.values()].map(({ writeKey }) => writeKey);
  if (key?.mode !== 'KMS' || !key.backed || !isStable(settled)) return undefined;
  return unmigrated(encryptedResources, key).length === 0 ? key : undefined;
};

const migratedVersion = (secret: Secret): number => {
  const version = Number(secret.metadata.annotations?.[annotations.migratedKeyVersion] ?? 1);
  return Number.isSafeInteger(version) ? version : 1;
};

/** Why the new version cannot be relied on yet: a plugin does not serve it, or an API server has not seen it. */
const unseen = (
  { backend, controlPlane, apiServers }: Observation,
  keyName: string,
  version: number,
): string | undefined => {
  const served = controlPlane.map((node) => ({ node, key: backend?.status?.nodes?.[node]?.keys?.[keyName] }));
  const old = served.find(({ key }) => key === undefined || key.version < version);
  if (old !== undefined) return `the plugin on node ${old.node} does not serve it yet`;
  const [keyID, ...others] = new Set(served.map(({ key }) => key?.keyID));
  if (keyID === undefined || others.length > 0) return 'plugins do not agree on its key_id';
  const wanted = sha256(keyID);
  const names = encryptedResources.map((resource) => kmsProviderName(keyName, resource));
  const late = apiServers.find(({ keyIDHashes }) => names.some((provider) => keyIDHashes[provider] !== wanted));
  return late && `the API server of ${late.node} has not seen it yet`;
};

const waiting = (keyName: string, version: number, cause: string): Outcome => ({
  actions: [],
  conditions: [
    isFalse(degradedType(name)),
    isTrue(progressingType(name), 'WaitingForKeyID', `waiting for version ${version} of key ${keyName}: ${cause}`),
  ],
  recheckAfterMs: soonMs,
});

const rewrite = (secret: Secret, keyName: string, version: number, { observation, now }: Situation): Outcome => {
  const writeKey = rotationWriteKey(keyName, version);
  const steps = encryptedResources
    .toSorted()
    .map((resource) => ({ resource, step: migrationStep(name, resource, writeKey, observation.migrations, now) }));
  const running = steps.filter(({ step }) => step.state === 'running');
  const failures = steps.map(({ step }) => step).filter((step) => step.state === 'failed');
  if (running.length === 0 && failures.length === 0) {
    const noted = { ...secret.metadata.annotations, [annotations.migratedKeyVersion]: String(version) };
    const update = { ...secret, metadata: { ...secret.metadata, annotations: noted } };
    return { ...idle, actions: [{ controller: name, kind: 'updateKeySecret', secret: update }] };
  }
  const resources = running.map(({ resource }) => readableResource(resource)).join(' ');
  const progress = progressText(running.map(({ step }) => step));
  const message = `migrating resources to version ${version} of key ${keyName}: [${resources}]${progress}`;
  const problem = joinProblems(failures.map((failure) => failure.problem));
  return {
    actions: running.flatMap(({ step }) => (step.state === 'running' ? step.actions : [])),
    conditions: [
      problem === '' ? isFalse(degradedType(name)) : degraded(name, problem),
      running.length === 0 ? isFalse(progressingType(name)) : isTrue(progressingType(name), 'Migrating', message),
    ],
    recheckAfterMs: Math.min(
      ...(running.length > 0 ? [soonMs] : []),
      ...failures.map(({ retryAfterMs }) => retryAfterMs + 1),
    ),
  };
};

/**
 * Ours: has everything written again where the KMS has moved on to a new version of its key. A value written before an API server
 * saw the new key_id would keep the old one, so all of them have to see it first.
 */
export const rotationController: Controller = {
  name,
  resting: [isFalse(degradedType(name)), isFalse(progressingType(name))],
  failed: (message) => [degraded(name, message), isFalse(progressingType(name))],
  decide: (situation) => {
    const { observation, settled } = situation;
    const key = settled && settledKmsKey(settled);
    const secret = key && observation.keySecrets.find(({ metadata }) => metadata.name === keySecretName(key.name));
    if (key === undefined || secret === undefined) return idle;
    const version = observation.backend?.spec?.keyVersions?.[key.name] ?? 1;
    if (version <= migratedVersion(secret)) return idle;
    const cause = unseen(observation, key.name, version);
    return cause === undefined ? rewrite(secret, key.name, version, situation) : waiting(key.name, version, cause);
  },
};
