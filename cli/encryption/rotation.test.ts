import { describe, expect, it } from 'vitest';
import { expectationsOf } from './expectation.ts';
import { lookAtRotation, newestKekID, rotatableKeys } from './rotation.ts';
import { encryptionStatus } from './state.ts';
import { testKey, testObjects } from './testObjects.ts';

const served = (versions: Readonly<Record<string, number>>) => ({
  status: {
    nodes: Object.fromEntries(
      Object.entries(versions).map(([node, version]) => [
        node,
        { observedGeneration: 1, keys: { 1: { version, keyID: `kek-${version}` } } },
      ]),
    ),
  },
});
const kms = { type: 'KMS', keys: [testKey(1, 'KMS')], writeKey: 1, readKeys: [1] };
const migratedTo = (version: number, objects: ReturnType<typeof testObjects>): ReturnType<typeof testObjects> => ({
  ...objects,
  keySecrets: objects.keySecrets.map((secret) => ({
    ...secret,
    metadata: {
      ...secret.metadata,
      annotations: { ...secret.metadata.annotations, 'understudy.dev/migrated-key-version': String(version) },
    },
  })),
});

describe('keys that can be rotated', () => {
  it('are the KMS keys that API servers have', () => {
    const keys = [testKey(4, 'KMS'), testKey(3, 'KMS'), testKey(2, 'aescbc'), testKey(1, 'KMS')];
    const status = encryptionStatus(testObjects({ keys, writeKey: 4, readKeys: [4, 3, 2] }));
    expect(rotatableKeys(status)).toEqual(['4', '3']);
  });
});

describe('the newest key_id', () => {
  it('is that of the newest version that any plugin serves', () => {
    expect(newestKekID(testObjects({ backend: served({ a: 1, b: 10, c: 9 }) }).backend, '1')).toBe('kek-10');
  });

  it('is unknown before a plugin has told', () => {
    expect(newestKekID(testObjects({ backend: {} }).backend, '1')).toBe(undefined);
    expect(newestKekID(undefined, '1')).toBe(undefined);
  });
});

describe('a rotation', () => {
  it('is done when all plugins serve the version and the operator has written everything again', () => {
    const objects = testObjects({ ...kms, backend: served({ a: 2, b: 2 }) });
    expect(lookAtRotation('1', 2, objects)).toMatchObject({
      done: false,
      obstacle: 'what is stored is under version 1 of key 1, not 2',
    });
    expect(lookAtRotation('1', 2, migratedTo(2, objects)).done).toBe(true);
    expect(lookAtRotation('1', 2, migratedTo(3, objects)).done).toBe(true);
  });

  it('waits for every node', () => {
    const objects = migratedTo(2, testObjects({ ...kms, backend: served({ a: 2, b: 1 }) }));
    expect(lookAtRotation('1', 2, objects)).toMatchObject({
      done: false,
      told: [{ text: 'version 2 of key 1 served on 1 of 2 nodes' }],
      obstacle: '1 of 2 nodes serve version 2 of key 1',
    });
    expect(lookAtRotation('1', 2, migratedTo(2, testObjects({ ...kms, backend: {} }))).done).toBe(false);
  });

  it('of a key that is only read needs nothing written again', () => {
    const keys = [testKey(2, 'KMS'), testKey(1, 'KMS')];
    const objects = testObjects({ type: 'KMS', keys, writeKey: 2, readKeys: [2, 1], backend: served({ a: 2 }) });
    expect(lookAtRotation('1', 2, objects).done).toBe(true);
  });
});

describe('what is expected in etcd', () => {
  it('is plain text in mode identity, whatever keys there are', () => {
    expect(expectationsOf(testObjects({}))).toEqual({ secrets: 'plaintext', configmaps: 'plaintext' });
    const { secrets } = expectationsOf(testObjects({ ...kms, type: 'identity' }));
    expect(secrets).toBe('plaintext');
  });

  it('is the write key and the newest key_id of its plugins', () => {
    expect(expectationsOf(testObjects({ ...kms, backend: served({ a: 1, b: 2 }) }))).toEqual({
      secrets: { prefix: 'k8s:enc:kms:v2:1_secrets:', kekID: 'kek-2' },
      configmaps: { prefix: 'k8s:enc:kms:v2:1_configmaps:', kekID: 'kek-2' },
    });
  });

  it('is any key_id where the KMS is not ours', () => {
    expect(expectationsOf(testObjects(kms)).secrets).toEqual({ prefix: 'k8s:enc:kms:v2:1_secrets:', kekID: undefined });
  });

  it.each(['aescbc', 'aesgcm'] as const)('is the number of the key for %s', (mode) => {
    const objects = testObjects({
      type: mode,
      keys: [testKey(7, mode)],
      writeKey: 7,
      readKeys: [7],
      backend: served({}),
    });
    expect(expectationsOf(objects).configmaps).toEqual({ prefix: `k8s:enc:${mode}:v1:7:`, kekID: undefined });
  });

  it('is still to come while another mode is written', () => {
    expect(expectationsOf(testObjects({ ...kms, type: 'aescbc' })).secrets).toBe('key to come');
    expect(expectationsOf(testObjects({ type: 'KMS' })).secrets).toBe('key to come');
  });
});
