import { describe, expect, it } from 'vitest';
import type { Observation } from '../observation.ts';
import { situationOf } from '../situation.ts';
import { both, configSecretOf, keyOf, noon, observationOf, readOnlyConfigOf, secretOf } from '../testing/fixtures.ts';
import { conditionController } from './condition.ts';

const encrypted = (observation: Observation) => conditionController.decide(situationOf(observation, noon)).conditions;

describe('condition Encrypted', () => {
  it.each<[string, Observation, string, string, string]>([
    ['without keys', observationOf({}), 'False', 'EncryptionDisabled', 'Encryption is not enabled'],
    [
      'with a key that is used nowhere',
      observationOf({ keySecrets: [secretOf(1)] }),
      'False',
      'EncryptionInProgress',
      'Resource secrets is not encrypted',
    ],
    [
      'while a first key is only read',
      observationOf({ config: readOnlyConfigOf([keyOf(1)]), keySecrets: [secretOf(1)] }),
      'False',
      'EncryptionInProgress',
      'Resource secrets is being encrypted',
    ],
    [
      'while the second resource is migrated',
      observationOf({ config: configSecretOf([keyOf(1)]), keySecrets: [secretOf(1, 'aescbc', ['secrets'])] }),
      'False',
      'EncryptionInProgress',
      'Resource configmaps is being encrypted',
    ],
    [
      'with all migrated',
      observationOf({ config: configSecretOf([keyOf(1)]), keySecrets: [secretOf(1, 'aescbc', both)] }),
      'True',
      'EncryptionCompleted',
      'All resources encrypted: secrets, configmaps',
    ],
    [
      'with all migrated to the key before',
      observationOf({
        config: configSecretOf([keyOf(2), keyOf(1)]),
        keySecrets: [secretOf(2), secretOf(1, 'aescbc', both)],
      }),
      'True',
      'EncryptionCompleted',
      'All resources encrypted: secrets, configmaps',
    ],
    [
      'after identity, not migrated',
      observationOf({
        config: configSecretOf([keyOf(3), keyOf(2, 'identity')]),
        keySecrets: [secretOf(3), secretOf(2, 'identity', both)],
      }),
      'False',
      'EncryptionInProgress',
      'Encryption is ongoing',
    ],
    [
      'with an end of encryption that is to come',
      observationOf({
        mode: '',
        config: configSecretOf([keyOf(2, 'identity'), keyOf(1)], keyOf(1)),
        keySecrets: [secretOf(2, 'identity'), secretOf(1, 'aescbc', both)],
      }),
      'False',
      'DecryptionInProgress',
      'Encryption mode set to identity and decryption is not finished',
    ],
    [
      'while all is decrypted',
      observationOf({
        mode: '',
        config: configSecretOf([keyOf(2, 'identity'), keyOf(1)]),
        keySecrets: [secretOf(2, 'identity', ['secrets']), secretOf(1, 'aescbc', both)],
      }),
      'False',
      'DecryptionInProgress',
      'Encryption mode set to identity and decryption is not finished',
    ],
    [
      'with all decrypted',
      observationOf({
        mode: '',
        config: configSecretOf([keyOf(2, 'identity'), keyOf(1)]),
        keySecrets: [secretOf(2, 'identity', both), secretOf(1, 'aescbc', both)],
      }),
      'False',
      'DecryptionCompleted',
      'Encryption mode set to identity and everything is decrypted',
    ],
    [
      'on the way back from identity, not written',
      observationOf({
        config: configSecretOf([keyOf(3), keyOf(2, 'identity')], keyOf(2, 'identity')),
        keySecrets: [secretOf(3), secretOf(2, 'identity', both)],
      }),
      'False',
      'DecryptionCompleted',
      'Encryption mode set to identity and everything is decrypted',
    ],
  ])('%s', (_, observation, status, reason, message) => {
    expect(encrypted(observation)).toEqual([{ type: 'Encrypted', status, reason, message }]);
  });

  it('stays as it is while API servers differ', () => {
    expect(encrypted(observationOf({ keySecrets: [secretOf(1)], apiServers: [] }))).toBeUndefined();
  });
});
