import type { Action, EventNote } from '../action.ts';
import { degraded, degradedType, isFalse } from '../conditions.ts';
import { existingKeyProblem, keySecretName, toKeySecret } from '../keySecret.ts';
import { emptyStaticKey, type KeyState, type KmsState, type Mode } from '../keyState.ts';
import { type ResolvedKms, resolveKms, vaultOf } from '../kmsProvider.ts';
import type { Observation } from '../observation.ts';
import type { Settled, Situation } from '../situation.ts';
import { type Controller, type Outcome, soonMs } from './controller.ts';
import { joinReasons, type KeyWish, needOf } from './keyReasons.ts';
import { preflightProblem } from './preflight.ts';
import { externalReasonOf, wishedMode } from './wish.ts';

const name = 'EncryptionKey';
const kmsTimeout = '10s';

/** Random bytes, of a cryptographic source. */
export type RandomBytes = (size: number) => Uint8Array;

const kmsEndpoint = (keyName: string): string => `unix:///var/run/kmsplugin/kms-${keyName}.sock`;

const newSecret = (mode: Mode, randomBytes: RandomBytes): string =>
  mode === 'identity' || mode === 'KMS' ? emptyStaticKey : Buffer.from(randomBytes(32)).toString('base64');

const kmsStateOf = (keyName: string, { plugin, secretData, configMapData }: ResolvedKms): KmsState => ({
  encryption: { apiVersion: 'v2', name: keyName, endpoint: kmsEndpoint(keyName), timeout: kmsTimeout },
  plugin,
  secretData,
  configMapData,
});

interface NewKey {
  readonly name: string;
  readonly reasons: readonly string[];
}

const newKeyNeeded = ({ desired }: Settled, wish: KeyWish): NewKey | undefined => {
  const needs = [...desired].flatMap(([resource, keys]) => {
    const need = needOf(keys, wish);
    return need === undefined ? [] : [[resource, need] as const];
  });
  if (needs.length === 0) return undefined;
  const number = Math.max(...needs.map(([, need]) => need.latest)) + 1;
  return {
    name: String(number),
    reasons: joinReasons(new Map(needs.map(([resource, { reason }]) => [resource, reason]))),
  };
};

/** What must be written or waited for before a KMS key may be made. @throws where the check fails */
const preflightFirst = (observation: Observation, { hash }: ResolvedKms): Outcome | undefined => {
  const { preflight } = observation.operator ?? {};
  const problem = preflightProblem(observation);
  if (preflight?.observedConfigHash !== hash) {
    const wished = { ...preflight, observedConfigHash: hash };
    return {
      actions: [{ controller: name, kind: 'writePreflight', preflight: wished }],
      conditions: [isFalse(degradedType(name))],
    };
  }
  if (problem !== undefined) throw new Error(`KMS preflight check failed for config hash ${hash}: ${problem}`);
  const passed = preflight.result?.configHash === hash && preflight.result.status === 'Succeeded';
  return passed ? undefined : { actions: [], conditions: [isFalse(degradedType(name))], recheckAfterMs: soonMs };
};

const quoted = (texts: readonly string[]): string => `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`;

const creation = (key: KeyState, reasons: readonly string[]): Action => {
  const secretName = keySecretName(key.name);
  const created = `Secret "${secretName}" successfully created: ${quoted(reasons)}`;
  return {
    controller: name,
    kind: 'createKeySecret',
    secret: toKeySecret(key),
    events: [{ type: 'Normal', reason: 'EncryptionKeyCreated', message: created }],
    failureEvent: {
      type: 'Warning',
      reason: 'EncryptionKeyCreateFailed',
      message: `Secret "${secretName}" failed to create`,
    },
  };
};

const makeKey = (observation: Observation, wanted: NewKey, wish: KeyWish, randomBytes: RandomBytes): Outcome => {
  const { encryption, referencedSecrets, referencedConfigMaps, keySecrets } = observation;
  const resolved =
    wish.mode === 'KMS' ? resolveKms(encryption?.kms, referencedSecrets, referencedConfigMaps) : undefined;
  const first = resolved && preflightFirst(observation, resolved);
  if (first !== undefined) return first;
  const existing = keySecrets.find(({ metadata }) => metadata.name === keySecretName(wanted.name));
  if (existing !== undefined) {
    const problem = existingKeyProblem(existing);
    if (problem !== undefined) throw new ExistingKeyError(problem);
    return { actions: [], conditions: [isFalse(degradedType(name))] };
  }
  const key: KeyState = {
    name: wanted.name,
    secret: newSecret(wish.mode, randomBytes),
    mode: wish.mode,
    backed: true,
    internalReason: wanted.reasons.join(', '),
    externalReason: wish.externalReason,
    migrated: { timestamp: undefined, resources: [] },
    kms: resolved && kmsStateOf(wanted.name, resolved),
  };
  return { actions: [creation(key, wanted.reasons)], conditions: [isFalse(degradedType(name))] };
};

class ExistingKeyError extends Error {}

const decideKey = (situation: Situation, randomBytes: RandomBytes): Outcome => {
  const { observation, now, settled } = situation;
  const { encryption, operator, keySecrets } = observation;
  const idle: Outcome = { actions: [], conditions: [isFalse(degradedType(name))] };
  const mode = wishedMode(encryption);
  const externalReason = externalReasonOf(operator?.unsupportedConfigOverrides);
  if (settled === undefined) return idle;
  if (mode === 'identity' && settled.config === undefined && keySecrets.length === 0) return idle;
  const wish = { mode, externalReason, vault: mode === 'KMS' ? vaultOf(encryption?.kms) : undefined, now };
  const wanted = newKeyNeeded(settled, wish);
  if (wanted === undefined) return idle;
  try {
    return makeKey(observation, wanted, wish, randomBytes);
  } catch (thrown) {
    if (thrown instanceof ExistingKeyError) throw thrown;
    throw new Error(`failed to create key: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
};

const invalidKeysMessage = ({ invalidKeys }: Situation): string | undefined =>
  invalidKeys.length === 0
    ? undefined
    : `ignored: ${invalidKeys.map(({ secretName, problem }) => `${secretName} (${problem})`).join('; ')}`;

const newlyInvalid = (situation: Situation): readonly EventNote[] => {
  const said =
    situation.observation.operator?.conditions.find(({ type }) => type === degradedType(name))?.message ?? '';
  return situation.invalidKeys
    .filter(({ problem }) => !said.includes(problem))
    .map(
      ({ problem }) => ({ type: 'Warning', reason: 'EncryptionKeyInvalid', message: `Ignored: ${problem}` }) as const,
    );
};

/** Names key secrets that are left aside, which OpenShift's controllers only log. */
const withInvalidKeys = (situation: Situation, outcome: Outcome): Outcome => {
  const message = invalidKeysMessage(situation);
  if (message === undefined) return outcome;
  const events = newlyInvalid(situation);
  const told: readonly Action[] = events.length === 0 ? [] : [{ controller: name, kind: 'tell', events }];
  return { ...outcome, actions: [...outcome.actions, ...told], conditions: [isFalse(degradedType(name), message)] };
};

/** Makes a key where one is needed. @see https://github.com/openshift/library-go/blob/master/pkg/operator/encryption/controllers/key_controller.go */
export const keyController = (randomBytes: RandomBytes): Controller => ({
  name,
  resting: [isFalse(degradedType(name))],
  failed: (message) => [degraded(name, message)],
  decide: (situation) => withInvalidKeys(situation, decideKey(situation, randomBytes)),
});
