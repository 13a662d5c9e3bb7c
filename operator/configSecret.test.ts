import { describe, expect, it } from 'vitest';
import { readConfigSecret, toConfigSecret } from './configSecret.ts';
import { configOf } from './encryptionConfig.ts';
import type { KeyState, Mode } from './keyState.ts';
import { base64, both, keyOf } from './testing/fixtures.ts';

const configWith = (...keys: readonly KeyState[]) =>
  configOf(new Map(both.map((resource) => [resource, { writeKey: keys[0], readKeys: keys }])));

describe('the config secret', () => {
  it.each<readonly Mode[]>([
    ['aescbc'],
    ['KMS'],
    ['KMS', 'KMS'],
    ['KMS', 'aescbc'],
    ['identity', 'KMS'],
    ['aesgcm', 'secretbox'],
  ])('tells again what was written: %s %s', (...modes) => {
    const config = configWith(...modes.map((mode, index) => keyOf(9 - index, mode)));
    expect(readConfigSecret(toConfigSecret(config))).toEqual(config);
  });

  it('has the place, the finalizer and the data keys of OpenShift', () => {
    const secret = toConfigSecret(configWith(keyOf(2, 'KMS'), keyOf(1)));
    expect(secret.metadata).toMatchObject({
      namespace: 'openshift-config-managed',
      name: 'encryption-config-openshift-kube-apiserver',
      finalizers: ['encryption.apiserver.operator.openshift.io/deletion-protection'],
    });
    expect(Object.keys(secret.data ?? {})).toEqual([
      'encryption-config',
      'kms-plugin-config-2',
      'kms-plugin-configmap-vault-ca_ca-bundle.crt-2',
      'kms-plugin-secret-vault-approle_role-id-2',
      'kms-plugin-secret-vault-approle_secret-id-2',
    ]);
  });

  it('is byte for byte the same for the same state, in whatever order that was put together', () => {
    const keys = [keyOf(3, 'KMS'), keyOf(2), keyOf(1, 'KMS')];
    const state = (resources: readonly string[]) =>
      new Map(resources.map((resource) => [resource, { writeKey: keys[0], readKeys: keys }]));
    const one = JSON.stringify(toConfigSecret(configOf(state(['secrets', 'configmaps']))));
    expect(JSON.stringify(toConfigSecret(configOf(state(['configmaps', 'secrets']))))).toBe(one);
  });

  it('without a configuration says nothing', () => {
    expect(readConfigSecret({ metadata: { name: 'x' } })).toBeUndefined();
  });

  const content = toConfigSecret(configWith(keyOf(1))).data ?? {};
  it.each([
    ['kms-plugin-config-x', 'invalid keyID "x"'],
    ['kms-plugin-secret-a_b-x', 'invalid keyID "x"'],
    ['kms-plugin-secret-ab-1', 'invalid combined key "ab"'],
    ['kms-plugin-config-1', 'JSON'],
  ])('is refused with data key %s', (dataKey, problem) => {
    const data = { ...content, [dataKey]: base64('x') };
    expect(() => readConfigSecret({ metadata: { name: 'x' }, data })).toThrow(problem);
  });

  it.each(['kms-plugin-config-', 'kms-plugin-secret-', 'kms-plugin-secret-nodash', 'other'])(
    'leaves data key %s aside',
    (dataKey) => {
      const data = { ...content, [dataKey]: base64('x') };
      expect(readConfigSecret({ metadata: { name: 'x' }, data })?.plugins.size).toBe(0);
    },
  );

  it('tells numbers inside of a name from the number of the key', () => {
    const data = { ...content, 'kms-plugin-secret-app-2_role-7-1': base64('x') };
    const plugins = readConfigSecret({ metadata: { name: 'x' }, data })?.plugins;
    expect(plugins?.get('1')?.secretData).toEqual({ 'app-2_role-7': base64('x') });
  });
});
