import { describe, expect, it } from 'vitest';
import { readConfigSecret } from '../configSecret.ts';
import { configHashOf } from '../deployed.ts';
import { stateOf } from '../encryptionConfig.ts';
import type { Observation, Secret } from '../observation.ts';
import { situationOf } from '../situation.ts';
import {
  annotated,
  both,
  configSecretOf,
  copyOf,
  keyOf,
  noon,
  observationOf,
  readOnlyConfigOf,
  secretOf,
} from '../testing/fixtures.ts';
import { stateController } from './state.ts';

const decideState = (observation: Observation) => stateController.decide(situationOf(observation, noon));

const written = (observation: Observation): readonly Secret[] =>
  decideState(observation).actions.flatMap((action) => (action.kind === 'applyConfigSecret' ? [action.secret] : []));

/** `w1 r2,1` of the source, for secrets. */
const next = (observation: Observation): string | undefined => {
  const [source] = written(observation);
  const state = source && stateOf(readConfigSecret(source), []).get('secrets');
  return state && `w${state.writeKey?.name ?? '-'} r${state.readKeys.map(({ name }) => name).join(',')}`;
};

const one = secretOf(1, 'aescbc', both);

describe('the configuration', () => {
  it.each<[string, Observation, string | undefined]>([
    ['waits for the first key', observationOf({}), undefined],
    ['begins with the first key, read', observationOf({ keySecrets: [secretOf(1)] }), 'w- r1'],
    [
      'goes on to writing it',
      observationOf({ config: readOnlyConfigOf([keyOf(1)]), keySecrets: [secretOf(1)] }),
      'w1 r1',
    ],
    ['rests', observationOf({ config: configSecretOf([keyOf(1)]), keySecrets: [one] }), undefined],
    [
      'goes on to a new key',
      observationOf({ config: configSecretOf([keyOf(1)]), keySecrets: [one, secretOf(2)] }),
      'w1 r2,1',
    ],
    [
      'goes on to a KMS key',
      observationOf({ config: configSecretOf([keyOf(1)]), keySecrets: [one, secretOf(2, 'KMS')] }),
      'w1 r2,1',
    ],
    [
      'goes on to writing a KMS key',
      observationOf({
        config: configSecretOf([keyOf(2, 'KMS'), keyOf(1)], keyOf(1)),
        keySecrets: [one, secretOf(2, 'KMS')],
      }),
      'w2 r2,1',
    ],
    [
      'does not count an invalid key',
      observationOf({ config: configSecretOf([keyOf(1)]), keySecrets: [one, { ...secretOf(2), data: {} }] }),
      undefined,
    ],
    ['comes again where it was deleted', observationOf({ keySecrets: [one, secretOf(2, 'aescbc', both)] }), 'w- r2,1'],
    [
      'is left alone while an API server does not answer',
      observationOf({ keySecrets: [secretOf(1)], apiServers: [] }),
      undefined,
    ],
  ])('%s', (_, observation, expected) => {
    expect(next(observation)).toBe(expected);
  });

  it('of a single API server begins with the first key, written', () => {
    const alone = { controlPlane: ['cp-1'], apiServers: [{ node: 'cp-1', configHash: undefined, keyIDHashes: {} }] };
    expect(next(observationOf({ ...alone, keySecrets: [secretOf(1)] }))).toBe('w1 r1');
  });

  it('goes to the copy too, byte for byte', () => {
    const [source, copy, ...others] = written(observationOf({ keySecrets: [secretOf(1)] }));
    expect(others).toEqual([]);
    expect(copy?.metadata).toMatchObject({ namespace: 'openshift-kube-apiserver', name: 'encryption-config' });
    expect(copy?.data).toEqual(source?.data);
  });

  it('is written over what was observed only', () => {
    const versions = written(observationOf({ config: configSecretOf([keyOf(1)]), keySecrets: [one, secretOf(2)] }));
    expect(versions.map(({ metadata }) => metadata.resourceVersion)).toEqual(['5', '6']);
  });
});

describe('what others did to the config secret', () => {
  const config = configSecretOf([keyOf(1)]);
  const observation = observationOf({ config, keySecrets: [one] });
  const other = configSecretOf([keyOf(7)]);

  it('stays where it does no harm', () => {
    const labelled = annotated(
      { ...config, metadata: { ...config.metadata, labels: { mine: 'yes' } } },
      { mine: 'too' },
    );
    expect(written({ ...observation, configSecret: labelled })).toEqual([]);
  });

  it.each<[string, Partial<Observation>, string]>([
    ['source deleted', { configSecret: undefined }, 'encryption-config-openshift-kube-apiserver'],
    ['source changed', { configSecret: other }, 'encryption-config-openshift-kube-apiserver'],
    [
      'source without finalizer',
      { configSecret: { ...config, metadata: { ...config.metadata, finalizers: [] } } },
      'encryption-config-openshift-kube-apiserver',
    ],
    ['copy deleted', { configCopy: undefined }, 'encryption-config'],
    ['copy changed, and rolled out nowhere', { configCopy: copyOf(other) }, 'encryption-config'],
  ])('is put right: %s', (_, change, name) => {
    const [secret, ...others] = written({ ...observation, ...change });
    expect(others).toEqual([]);
    expect(secret?.metadata.name).toBe(name);
    expect(secret && configHashOf(secret)).toBe(configHashOf(config));
  });

  it('is a copy that was never written, before anybody has converged', () => {
    const [copy, ...others] = written(observationOf({ ...observation, configCopy: undefined, apiServers: [] }));
    expect(others).toEqual([]);
    expect(copy).toMatchObject({ metadata: { name: 'encryption-config' }, data: config.data });
    expect(copy?.metadata.resourceVersion).toBeUndefined();
  });
});

describe('events', () => {
  const reasons = (observation: Observation) => decideState(observation).actions.flatMap(({ events }) => events ?? []);

  it.each<[string, Observation, readonly string[]]>([
    [
      'of a first key',
      observationOf({ keySecrets: [secretOf(1)] }),
      ['SecretCreated', 'EncryptionResourceAdded', 'EncryptionResourceAdded', 'SecretCreated'],
    ],
    [
      'of its promotion',
      observationOf({ config: readOnlyConfigOf([keyOf(1)]), keySecrets: [secretOf(1)] }),
      ['SecretUpdated', 'EncryptionKeyPromoted', 'EncryptionKeyPromoted', 'SecretUpdated'],
    ],
    [
      'of a read key more',
      observationOf({ config: configSecretOf([keyOf(1)]), keySecrets: [one, secretOf(2)] }),
      ['SecretUpdated', 'EncryptionReadKeysChanged', 'EncryptionReadKeysChanged', 'SecretUpdated'],
    ],
    [
      'of another write key',
      observationOf({
        config: configSecretOf([keyOf(2), keyOf(1)], keyOf(1)),
        keySecrets: [
          one,
          annotated(secretOf(2), { 'encryption.apiserver.operator.openshift.io/external-reason': 'drill' }),
        ],
      }),
      [
        'SecretUpdated',
        ...both.flatMap(() => ['EncryptionWriteKeyTriggeredExternal', 'EncryptionWriteKeyChanged']),
        'SecretUpdated',
      ],
    ],
    [
      'of a resource that is no longer encrypted',
      observationOf({ config: configSecretOf([keyOf(1)], keyOf(1), [...both, 'deployments.apps']), keySecrets: [one] }),
      ['SecretUpdated', 'EncryptionResourceRemoved', 'SecretUpdated'],
    ],
  ])('%s', (_, observation, expected) => {
    expect(reasons(observation).map(({ reason }) => reason)).toEqual(expected);
  });

  it('have the messages of OpenShift', () => {
    const observation = observationOf({ config: readOnlyConfigOf([keyOf(1)]), keySecrets: [secretOf(1)] });
    expect(reasons(observation)[1]?.message).toBe('Promoting key "1" for resource "secrets" to write key');
  });
});

it('a configuration that nobody understands is named', () => {
  const config = { ...configSecretOf([keyOf(1)]), data: { 'encryption-config': 'bm9wZQ==' } };
  expect(() => decideState(observationOf({ config }))).toThrow(
    'invalid encryption config openshift-kube-apiserver/encryption-config: failed to decode EncryptionConfiguration',
  );
});
