import { describe, expect, it } from 'vitest';
import { isInvalid, parseKeySecret } from '../keySecret.ts';
import type { KeyState, Mode } from '../keyState.ts';
import { resolveKms } from '../kmsProvider.ts';
import type { Observation, Secret } from '../observation.ts';
import { situationOf } from '../situation.ts';
import {
  annotated,
  appRoleSecret,
  both,
  caBundle,
  configSecretOf,
  keyOf,
  kmsSpec,
  migratedAt,
  noon,
  observationOf,
  readOnlyConfigOf,
  secretOf,
  vaultPlugin,
} from '../testing/fixtures.ts';
import { keyController } from './key.ts';

const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(7);
const decideKey = (observation: Observation) => keyController(bytes).decide(situationOf(observation, noon));

const created = (observation: Observation): KeyState | undefined => {
  const action = decideKey(observation).actions.find(({ kind }) => kind === 'createKeySecret');
  if (action?.kind !== 'createKeySecret') return undefined;
  const key = parseKeySecret(action.secret);
  if (isInvalid(key)) throw new Error(key.problem);
  return key;
};

const { hash } = resolveKms(vaultPlugin, [appRoleSecret], [caBundle]);
const passed = {
  observedConfigHash: hash,
  result: { status: 'Succeeded', configHash: hash, remoteKeyID: 'k' },
} as const;

/** KMS is wished for and its preflight has passed. */
const kms = (changes: Parameters<typeof observationOf>[0] = {}): Observation =>
  observationOf({ encryption: kmsSpec, operator: { conditions: [], preflight: passed }, ...changes });

const forced = (reason: unknown): Observation['operator'] => ({
  conditions: [],
  unsupportedConfigOverrides: { encryption: { reason } },
});

const deployed = (...keys: readonly KeyState[]) => configSecretOf(keys);
const migrated = (number: number, mode: Mode = 'aescbc'): Secret => secretOf(number, mode, both);
const longAgo = '2026-11-14T11:59:59Z';

describe('a key is made', () => {
  it.each<[string, Observation, object]>([
    ['at first', observationOf({}), { name: '1', mode: 'aescbc', internalReason: 'key-does-not-exist' }],
    ['at first for AES-GCM', observationOf({ mode: 'aesgcm' }), { name: '1', mode: 'aesgcm' }],
    ['at first for KMS', kms(), { name: '1', mode: 'KMS', internalReason: 'key-does-not-exist' }],
    [
      'after a week',
      observationOf({ config: deployed(keyOf(5)), keySecrets: [migratedAt(migrated(5), longAgo)] }),
      { name: '6', internalReason: 'rotation-interval-has-passed' },
    ],
    [
      'where nobody knows when the last was migrated',
      observationOf({
        config: deployed(keyOf(5)),
        keySecrets: [
          annotated(secretOf(5), {
            'encryption.apiserver.operator.openshift.io/migrated-resources':
              '{"resources":[{"Group":"","Resource":"secrets"},{"Group":"","Resource":"configmaps"}]}',
          }),
        ],
      }),
      { name: '6', internalReason: 'rotation-interval-has-passed' },
    ],
    [
      'after a week, with another read key',
      observationOf({
        config: deployed(keyOf(6), keyOf(5)),
        keySecrets: [migratedAt(migrated(6), longAgo), migrated(5)],
      }),
      { name: '7', internalReason: 'rotation-interval-has-passed' },
    ],
    [
      'for another mode',
      observationOf({ mode: 'aesgcm', config: deployed(keyOf(5)), keySecrets: [migrated(5)] }),
      { name: '6', mode: 'aesgcm', internalReason: 'encryption-mode-changed' },
    ],
    [
      'to end encryption',
      observationOf({ mode: '', config: deployed(keyOf(5)), keySecrets: [migrated(5)] }),
      { name: '6', mode: 'identity', internalReason: 'encryption-mode-changed' },
    ],
    [
      'to begin encryption again',
      kms({ config: deployed(keyOf(2, 'identity'), keyOf(1)), keySecrets: [migrated(2, 'identity'), migrated(1)] }),
      { name: '3', mode: 'KMS', internalReason: 'encryption-mode-changed' },
    ],
    [
      'from static keys to KMS',
      kms({ config: deployed(keyOf(5)), keySecrets: [migrated(5)] }),
      { name: '6', mode: 'KMS', internalReason: 'encryption-mode-changed' },
    ],
    [
      'from KMS to static keys',
      observationOf({ config: deployed(keyOf(5, 'KMS')), keySecrets: [migrated(5, 'KMS')] }),
      { name: '6', mode: 'aescbc', internalReason: 'encryption-mode-changed' },
    ],
    [
      'for a reason from outside',
      observationOf({ operator: forced('drill'), config: deployed(keyOf(5)), keySecrets: [migrated(5)] }),
      { name: '6', internalReason: 'external-reason-changed', externalReason: 'drill' },
    ],
    [
      'where the secret of the newest is gone',
      observationOf({ config: deployed(keyOf(5), keyOf(4)), keySecrets: [migrated(4)] }),
      { name: '6', internalReason: 'encryption-config-key-5-not-backed-by-secret' },
    ],
    [
      'where the secret of the newest is invalid',
      observationOf({
        config: deployed(keyOf(5), keyOf(4)),
        keySecrets: [annotated(migrated(5), { 'encryption.apiserver.operator.openshift.io/mode': 'x' }), migrated(4)],
      }),
      { name: '6', internalReason: 'encryption-config-key-5-not-backed-by-secret' },
    ],
  ])('%s', (_, observation, expected) => {
    expect(created(observation)).toMatchObject(expected);
  });

  it('for another KMS or key of it', () => {
    const elsewhere = {
      type: 'KMS',
      kms: { ...vaultPlugin, vault: { ...vaultPlugin.vault, vaultKeyPath: 'transit/keys/two' } },
    };
    const { hash: other } = resolveKms(elsewhere.kms, [appRoleSecret], [caBundle]);
    const preflight = {
      observedConfigHash: other,
      result: { status: 'Succeeded', configHash: other, remoteKeyID: 'k' },
    } as const;
    const observation = kms({
      encryption: elsewhere,
      operator: { conditions: [], preflight },
      config: deployed(keyOf(5, 'KMS')),
      keySecrets: [migrated(5, 'KMS')],
    });
    expect(created(observation)).toMatchObject({ name: '6', internalReason: 'kms-provider-changed' });
  });

  it('with 32 random bytes, or with what KMS needs instead', () => {
    expect(created(observationOf({}))?.secret).toBe(Buffer.alloc(32, 7).toString('base64'));
    expect(created(kms())).toEqual({ ...keyOf(1, 'KMS'), internalReason: 'key-does-not-exist' });
  });

  it('and told by an event', () => {
    const [action] = decideKey(observationOf({})).actions;
    expect(action?.events).toEqual([
      {
        type: 'Normal',
        reason: 'EncryptionKeyCreated',
        message: 'Secret "encryption-key-openshift-kube-apiserver-1" successfully created: ["key-does-not-exist"]',
      },
    ]);
  });
});

describe('no key is made', () => {
  it.each<[string, Observation]>([
    ['while encryption was never on', observationOf({ mode: 'identity' })],
    ['before the latest is used', observationOf({ keySecrets: [secretOf(1)] })],
    [
      'before the latest is migrated',
      observationOf({ mode: 'KMS', encryption: kmsSpec, config: deployed(keyOf(1)), keySecrets: [secretOf(1)] }),
    ],
    [
      'before the latest is migrated for all resources',
      observationOf({ mode: 'aesgcm', config: deployed(keyOf(1)), keySecrets: [secretOf(1, 'aescbc', ['secrets'])] }),
    ],
    ['within a week', observationOf({ config: deployed(keyOf(1)), keySecrets: [migrated(1)] })],
    [
      'while the next waits to be written',
      observationOf({ mode: 'aesgcm', config: deployed(keyOf(1)), keySecrets: [migrated(1), secretOf(2)] }),
    ],
    [
      'while older ones are still read',
      observationOf({
        mode: 'aesgcm',
        config: deployed(keyOf(3), keyOf(2), keyOf(1)),
        keySecrets: [1, 2].map((number) => migrated(number)).concat(secretOf(3, 'aescbc', both)),
        apiServers: [],
      }),
    ],
    [
      'for KMS after a week',
      kms({ config: deployed(keyOf(1, 'KMS')), keySecrets: [migratedAt(migrated(1, 'KMS'), longAgo)] }),
    ],
    [
      'for KMS for a reason from outside',
      kms({ operator: forced('drill'), config: deployed(keyOf(1, 'KMS')), keySecrets: [migrated(1, 'KMS')] }),
    ],
    [
      'where identity is all that is wished for',
      observationOf({
        mode: '',
        config: deployed(keyOf(2, 'identity')),
        keySecrets: [migratedAt(migrated(2, 'identity'), longAgo)],
      }),
    ],
    ['where it is there', observationOf({ config: readOnlyConfigOf([]), keySecrets: [], mode: 'identity' })],
  ])('%s', (_, observation) => {
    expect(decideKey(observation)).toMatchObject({ actions: [], conditions: [{ status: 'False' }] });
  });
});

describe('a KMS key waits for its preflight', () => {
  const preflight = (value: NonNullable<Observation['operator']>['preflight']) =>
    kms({ operator: { conditions: [], ...(value && { preflight: value }) } });

  it('and asks for it', () => {
    const [action, ...others] = decideKey(preflight(undefined)).actions;
    expect(action).toEqual({
      controller: 'EncryptionKey',
      kind: 'writePreflight',
      preflight: { observedConfigHash: hash },
    });
    expect(others).toEqual([]);
  });

  it('and asks again where the configuration has changed since', () => {
    const old = { ...passed, observedConfigHash: 'AAAAAA==' };
    expect(decideKey(preflight(old)).actions).toMatchObject([{ kind: 'writePreflight', preflight: passed }]);
  });

  it('while it runs', () => {
    expect(decideKey(preflight({ observedConfigHash: hash }))).toMatchObject({ actions: [], recheckAfterMs: 500 });
  });

  it('and names node and cause where a plugin is not ready, even if it once was', () => {
    const plugins = [
      { node: 'cp-1', ready: true },
      { node: 'cp-2', ready: false, cause: 'ImagePullBackOff' },
    ];
    expect(() => decideKey(kms({ plugins }))).toThrow(
      `failed to create key: KMS preflight check failed for config hash ${hash}: plugin on node cp-2 is not ready: ` +
        'ImagePullBackOff; plugin on node cp-3 is not ready: no plugin runs there',
    );
  });
});

describe('what is wrong is told', () => {
  it.each<[string, Observation, string]>([
    ['an unknown mode', observationOf({ mode: 'rot13' }), 'unknown encryption mode configured: rot13'],
    [
      'a mode that only OpenShift itself may use',
      observationOf({ mode: 'secretbox' }),
      'unknown encryption mode configured: secretbox',
    ],
    [
      'an unknown KMS',
      observationOf({ encryption: { type: 'KMS', kms: { type: 'AWS' } } }),
      'unsupported KMS provider type "AWS"',
    ],
    [
      'no AppRole secret',
      kms({ referencedSecrets: [] }),
      'failed to create key: failed to get secret vault-approle in openshift-config: secrets "vault-approle" not found',
    ],
    [
      'an AppRole secret without its keys',
      kms({ referencedSecrets: [{ ...appRoleSecret, data: {} }] }),
      'failed to create key: secret vault-approle in openshift-config is missing required key "role-id"',
    ],
    [
      'no CA',
      kms({ referencedConfigMaps: [] }),
      'failed to create key: failed to get configmap vault-ca in openshift-config: configmaps "vault-ca" not found',
    ],
    [
      'a reason that is no text',
      observationOf({ operator: forced(7) }),
      'encryption.reason of unsupportedConfigOverrides is a number, not a string',
    ],
    [
      'an invalid secret under the name of the new key',
      observationOf({
        keySecrets: [annotated(secretOf(1), { 'encryption.apiserver.operator.openshift.io/mode': 'x' })],
      }),
      'secret encryption-key-openshift-kube-apiserver-1 is invalid, new keys cannot be created for encryption target',
    ],
  ])('%s', (_, observation, problem) => {
    expect(() => decideKey(observation)).toThrow(new Error(problem));
  });

  it.each([undefined, {}, { encryption: null }, { encryption: {} }, 'text', { other: { reason: 'x' } }])(
    'but not overrides that say nothing about it: %j',
    (unsupportedConfigOverrides) => {
      expect(created(observationOf({ operator: { conditions: [], unsupportedConfigOverrides } }))?.externalReason).toBe(
        '',
      );
    },
  );

  it('an edited key secret, once by an event and for as long as it lasts in the condition', () => {
    const edited = annotated(migrated(1), { 'encryption.apiserver.operator.openshift.io/mode': 'x' });
    const observation = observationOf({ config: deployed(keyOf(2)), keySecrets: [migrated(2), edited] });
    const first = decideKey(observation);
    const message = expect.stringContaining('encryption-key-openshift-kube-apiserver-1 has invalid mode: x');
    expect(first.actions).toMatchObject([{ kind: 'tell', events: [{ reason: 'EncryptionKeyInvalid', message }] }]);
    expect(first.conditions).toMatchObject([{ type: 'EncryptionKeyControllerDegraded', status: 'False', message }]);
    const conditions = (first.conditions ?? []).map((one) => ({ ...one, lastTransitionTime: '' }));
    expect(decideKey({ ...observation, operator: { conditions } }).actions).toEqual([]);
  });
});
