import { describe, expect, it } from 'vitest';
import {
  decodeEncryptionConfiguration,
  decodeKmsConfiguration,
  encodeEncryptionConfiguration,
  encodeKmsConfiguration,
} from './encryptionConfiguration.ts';

const kms = { apiVersion: 'v2', name: '1', endpoint: 'unix:///var/run/kmsplugin/kms-1.sock', timeout: '10s' };

describe('an EncryptionConfiguration', () => {
  it('has the bytes that OpenShift writes', () => {
    const providers = [{ identity: {} }, { aesgcm: { keys: [{ name: '1', secret: 'aa' }] } }];
    expect(encodeEncryptionConfiguration([{ resources: ['secrets'], providers }])).toBe(
      '{"kind":"EncryptionConfiguration","apiVersion":"apiserver.config.k8s.io/v1","resources":[{"resources":["secrets"],' +
        '"providers":[{"identity":{}},{"aesgcm":{"keys":[{"name":"1","secret":"aa"}]}}]}]}\n',
    );
  });

  it('wraps a KMS provider alone in the bytes that OpenShift writes', () => {
    expect(encodeKmsConfiguration(kms)).toBe(
      '{"kind":"EncryptionConfiguration","apiVersion":"apiserver.config.k8s.io/v1","resources":[{"resources":null,' +
        '"providers":[{"kms":{"apiVersion":"v2","name":"1","endpoint":"unix:///var/run/kmsplugin/kms-1.sock","timeout":"10s"}}]}]}\n',
    );
    expect(decodeKmsConfiguration(encodeKmsConfiguration(kms))).toEqual(kms);
  });

  it('gets the defaults of its API, and loses fields that nobody knows', () => {
    const content = JSON.stringify({
      kind: 'EncryptionConfiguration',
      apiVersion: 'apiserver.config.k8s.io/v1',
      colour: 'red',
      resources: [{ resources: ['secrets'], providers: [{ kms: { name: '1_secrets', endpoint: 'unix:///x' } }] }],
    });
    expect(decodeEncryptionConfiguration(content)).toEqual([
      {
        resources: ['secrets'],
        providers: [{ kms: { apiVersion: 'v1', name: '1_secrets', endpoint: 'unix:///x', timeout: '3s' } }],
      },
    ]);
  });

  it.each([
    ['no JSON', 'nope', /failed to decode EncryptionConfiguration/],
    ['another kind', '{"kind":"Secret","apiVersion":"v1"}', /kind/],
    ['another version', '{"kind":"EncryptionConfiguration","apiVersion":"v9"}', /apiVersion/],
    [
      'a key without a name',
      '{"kind":"EncryptionConfiguration","apiVersion":"apiserver.config.k8s.io/v1","resources":[{"providers":[{"aescbc":{"keys":[{}]}}]}]}',
      /resources\.0\.providers\.0\.aescbc\.keys\.0\.name/,
    ],
  ])('says what is wrong with %s', (_, content, message) => {
    expect(() => decodeEncryptionConfiguration(content)).toThrow(message);
  });

  it('refuses a KMS wrapper with anything but one KMS provider', () => {
    const two = encodeEncryptionConfiguration([{ resources: null, providers: [{ kms }, { identity: {} }] }]);
    expect(() => decodeKmsConfiguration(two)).toThrow('invalid KMS encryption config');
    expect(() => decodeKmsConfiguration(encodeEncryptionConfiguration([]))).toThrow('invalid KMS encryption config');
  });
});
