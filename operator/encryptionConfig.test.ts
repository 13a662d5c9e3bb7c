import { describe, expect, it } from 'vitest';
import { configOf, stateOf } from './encryptionConfig.ts';
import type { KeyState, Mode } from './keyState.ts';
import { both, keyOf, vaultPlugin } from './testing/fixtures.ts';

const stateWith = (
  writeKey: KeyState | undefined,
  readKeys: readonly KeyState[],
  resources: readonly string[] = ['secrets'],
) => new Map(resources.map((resource) => [resource, { writeKey, readKeys }]));

/** `aescbc 2` for a provider, `aesgcm 2 empty` for one that carries an identity key. */
const shown = (config: ReturnType<typeof configOf>): readonly string[] =>
  (config.resources[0]?.providers ?? []).map((provider) => {
    if (provider.kms) return `kms ${provider.kms.name}`;
    const [mode, settings] = Object.entries(provider)[0] ?? [];
    const key = 'keys' in (settings ?? {}) ? Reflect.get(settings ?? {}, 'keys')[0] : undefined;
    if (key === undefined) return String(mode);
    return `${mode} ${key.name}${/^A+==$/.test(key.secret) ? ' empty' : ''}`;
  });

const keys = (...wanted: readonly [number, Mode][]): readonly KeyState[] =>
  wanted.map(([number, mode]) => keyOf(number, mode));

describe('providers', () => {
  it.each<[string, number | undefined, readonly [number, Mode][], readonly string[]]>([
    ['nothing', undefined, [], ['identity']],
    ['a read key only', undefined, [[1, 'aescbc']], ['identity', 'aescbc 1']],
    ['a write key', 1, [[1, 'aescbc']], ['aescbc 1', 'identity']],
    [
      'the write key first, whatever is newer',
      1,
      [
        [3, 'aescbc'],
        [2, 'aescbc'],
        [1, 'aescbc'],
      ],
      ['aescbc 1', 'aescbc 3', 'aescbc 2', 'identity'],
    ],
    [
      'an identity write key',
      2,
      [
        [2, 'identity'],
        [1, 'aescbc'],
      ],
      ['identity', 'aescbc 1', 'aesgcm 2 empty'],
    ],
    [
      'identity keys among read keys',
      4,
      [
        [4, 'aescbc'],
        [3, 'identity'],
        [2, 'aescbc'],
        [1, 'identity'],
      ],
      ['aescbc 4', 'aescbc 2', 'identity', 'aesgcm 3 empty', 'aesgcm 1 empty'],
    ],
    [
      'AES-GCM and secretbox',
      2,
      [
        [2, 'aesgcm'],
        [1, 'secretbox'],
      ],
      ['aesgcm 2', 'secretbox 1', 'identity'],
    ],
    [
      'KMS',
      2,
      [
        [2, 'KMS'],
        [1, 'aescbc'],
      ],
      ['kms 2_secrets', 'aescbc 1', 'identity'],
    ],
    [
      'from KMS to another KMS',
      1,
      [
        [2, 'KMS'],
        [1, 'KMS'],
      ],
      ['kms 1_secrets', 'kms 2_secrets', 'identity'],
    ],
  ])('are in order for %s', (_, write, of, expected) => {
    const reads = keys(...of);
    const state = stateWith(
      reads.find(({ name }) => name === String(write)),
      reads,
    );
    const config = configOf(state);
    expect(shown(config)).toEqual(expected);
    expect(stateOf(config, reads)).toEqual(state);
  });

  it('of resources are in the order of their names, with distinct names for KMS', () => {
    const reads = keys([1, 'KMS']);
    const { resources } = configOf(stateWith(reads[0], reads, both));
    expect(resources.map((entry) => [entry.resources, entry.providers[0]?.kms?.name])).toEqual([
      [['configmaps'], '1_configmaps'],
      [['secrets'], '1_secrets'],
    ]);
  });
});

describe('state from a configuration', () => {
  it('keeps the provider of a KMS key whose secret is gone, with its plugin', () => {
    const reads = keys([2, 'KMS'], [1, 'KMS']);
    const config = configOf(stateWith(reads[0], reads));
    const state = stateOf(config, keys([2, 'KMS']));
    expect(state.get('secrets')?.readKeys.map(({ name, backed }) => [name, backed])).toEqual([
      ['2', true],
      ['1', false],
    ]);
    expect(configOf(state)).toEqual(config);
  });

  it('does not take a secret for that of a key with other bytes or another mode', () => {
    const reads = keys([1, 'aescbc']);
    const config = configOf(stateWith(reads[0], reads));
    const others = [{ ...keyOf(1), secret: keyOf(2).secret }, keyOf(1, 'secretbox')];
    for (const other of others) expect(stateOf(config, [other]).get('secrets')?.writeKey?.backed).toBe(false);
  });

  it('leaves out entries and providers that are not made this way', () => {
    const twoKeys = {
      aescbc: {
        keys: [
          { name: '1', secret: 'a' },
          { name: '2', secret: 'b' },
        ],
      },
    };
    const nameless = { kms: { apiVersion: 'v2', name: 'mine', endpoint: 'unix:///x', timeout: '3s' } };
    const resources = [
      { resources: ['a', 'b'], providers: [{ identity: {} }] },
      { resources: ['secrets'], providers: [twoKeys, nameless, {}] },
    ];
    expect(stateOf({ resources, plugins: new Map() }, [])).toEqual(
      new Map([['secrets', { writeKey: undefined, readKeys: [] }]]),
    );
    expect(stateOf(undefined, [])).toEqual(new Map());
  });
});

describe('settings of plugins', () => {
  const key = keyOf(1, 'KMS');
  const other = (change: object): KeyState => ({ ...key, kms: key.kms && { ...key.kms, ...change } });

  it.each([
    ['plugin config', { plugin: { ...vaultPlugin, vault: { vaultAddress: 'https://other' } } }],
    ['secret data', { secretData: {} }],
    ['configmap data', { configMapData: { 'vault-ca_ca-bundle.crt': 'eA==' } }],
  ])('of one key must be the same for all resources: %s', (what, change) => {
    const state = new Map([
      ['secrets', { writeKey: key, readKeys: [key] }],
      ['configmaps', { writeKey: key, readKeys: [other(change)] }],
    ]);
    expect(() => configOf(state)).toThrow(`KMS ${what} mismatch for keyID 1`);
  });
});
