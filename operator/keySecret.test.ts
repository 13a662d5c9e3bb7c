import { describe, expect, it } from 'vitest';
import {
  decodeMigratedResources,
  encodeMigratedResources,
  existingKeyProblem,
  parseKeySecret,
  toKeySecret,
} from './keySecret.ts';
import { keyNumberOf, type Mode } from './keyState.ts';
import type { Secret } from './observation.ts';
import { annotated, base64, keyOf, secretOf } from './testing/fixtures.ts';

const prefix = 'encryption.apiserver.operator.openshift.io';

const withData = (secret: Secret, data: Readonly<Record<string, string>>): Secret => ({
  ...secret,
  data: { ...secret.data, ...data },
});

const renamed = (secret: Secret, name: string): Secret => ({ ...secret, metadata: { ...secret.metadata, name } });

describe('a key secret', () => {
  const modes: readonly Mode[] = ['aescbc', 'aesgcm', 'secretbox', 'identity', 'KMS'];

  it.each(modes)('of mode %s tells its key again, fresh and migrated', (mode) => {
    for (const key of [keyOf(1, mode), { ...keyOf(54, mode, ['secrets', 'deployments.apps']), externalReason: 'hi' }]) {
      expect(parseKeySecret(toKeySecret(key))).toEqual(key);
    }
  });

  it('has the names, labels, annotations and finalizer of OpenShift', () => {
    const key = { ...keyOf(3, 'aescbc', ['secrets']), internalReason: 'because', externalReason: 'asked' };
    expect(toKeySecret(key)).toEqual({
      metadata: {
        name: 'encryption-key-openshift-kube-apiserver-3',
        namespace: 'openshift-config-managed',
        labels: { [`${prefix}/component`]: 'openshift-kube-apiserver' },
        annotations: {
          'kubernetes.io/description': expect.stringContaining('Do not edit'),
          [`${prefix}/mode`]: 'aescbc',
          [`${prefix}/internal-reason`]: 'because',
          [`${prefix}/external-reason`]: 'asked',
          [`${prefix}/migrated-timestamp`]: '2026-11-21T11:00:00Z',
          [`${prefix}/migrated-resources`]: '{"resources":[{"Group":"","Resource":"secrets"}]}',
        },
        finalizers: [`${prefix}/deletion-protection`],
      },
      type: 'Opaque',
      data: { [`${prefix}-key`]: Buffer.alloc(32, 3).toString('base64') },
    });
  });

  it('of mode KMS carries its provider, its plugin and what that refers to', () => {
    expect(Object.keys(toKeySecret(keyOf(2, 'KMS')).data ?? {})).toEqual([
      `${prefix}-key`,
      `${prefix}-kms-encryption-config`,
      `${prefix}-kms-plugin-config`,
      `${prefix}-kms-plugin-configmap-vault-ca_ca-bundle.crt`,
      `${prefix}-kms-plugin-secret-vault-approle_role-id`,
      `${prefix}-kms-plugin-secret-vault-approle_secret-id`,
    ]);
  });

  it.each<[string, Secret, string]>([
    [
      'its name has no number',
      renamed(secretOf(1), 'encryption-key-x'),
      'secret openshift-config-managed/encryption-key-x has an invalid name',
    ],
    ['its mode is unknown', annotated(secretOf(1), { [`${prefix}/mode`]: 'rot13' }), 'invalid mode: rot13'],
    ['its key is empty', withData(secretOf(1), { [`${prefix}-key`]: '' }), 'of mode "aescbc" must have non-empty key'],
    [
      'its timestamp is none',
      annotated(secretOf(1), { [`${prefix}/migrated-timestamp`]: 'noon' }),
      'migrated-timestamp annotation',
    ],
    [
      'its resources are no JSON',
      annotated(secretOf(1), { [`${prefix}/migrated-resources`]: '{' }),
      'migrated-resources annotation',
    ],
    [
      'it has no provider',
      withData(secretOf(1, 'KMS'), { [`${prefix}-kms-encryption-config`]: '' }),
      'kms-encryption-config can not be empty',
    ],
    [
      'its provider is garbage',
      withData(secretOf(1, 'KMS'), { [`${prefix}-kms-encryption-config`]: base64('x') }),
      'invalid encryption.apiserver.operator.openshift.io-kms-encryption-config data',
    ],
    [
      'it has no plugin',
      withData(secretOf(1, 'KMS'), { [`${prefix}-kms-plugin-config`]: '' }),
      'kms-plugin-config can not be empty',
    ],
    [
      'a reference has no separator',
      withData(secretOf(1, 'KMS'), { [`${prefix}-kms-plugin-secret-x`]: 'eA==' }),
      'malformed secret data key',
    ],
    [
      'a reference is empty',
      withData(secretOf(1, 'KMS'), { [`${prefix}-kms-plugin-configmap-x_y`]: '' }),
      'malformed configmap data key',
    ],
  ])('is invalid where %s', (_, secret, problem) => {
    expect(parseKeySecret(secret)).toEqual({
      secretName: secret.metadata.name,
      problem: expect.stringContaining(problem),
    });
    expect(existingKeyProblem(secret)).toMatch(/is invalid, new keys cannot be created for encryption target$/);
  });

  it('of an earlier run is no problem', () => {
    expect(existingKeyProblem(secretOf(1))).toBeUndefined();
  });

  it('cannot be made for KMS without provider or plugin', () => {
    const key = keyOf(1, 'KMS');
    expect(() => toKeySecret({ ...key, kms: undefined })).toThrow('kms-encryption-config can not be empty');
    expect(() => toKeySecret({ ...key, kms: key.kms && { ...key.kms, plugin: { type: '' } } })).toThrow(
      'kms-plugin-config can not be empty',
    );
  });
});

it('lists of migrated resources keep their groups', () => {
  const resources = ['secrets', 'deployments.apps', 'routes.route.openshift.io'];
  expect(decodeMigratedResources(encodeMigratedResources(resources))).toEqual(resources);
  expect(decodeMigratedResources('{"resources":null}')).toEqual([]);
});

it.each([
  ['encryption-key-openshift-kube-apiserver-12', 12],
  ['7', 7],
  ['a-b-c', undefined],
  ['a-', undefined],
  ['a--1', 1],
  ['a-1x', undefined],
  ['99999999999999999999', undefined],
])('the number of %s is %s', (name, number) => {
  expect(keyNumberOf(name)).toBe(number);
});
