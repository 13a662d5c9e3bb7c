import { describe, expect, it } from 'vitest';
import { degradedStatus, encryptionStatus } from './state.ts';
import { encrypted, testCondition, testKey, testObjects } from './testObjects.ts';

describe('keys', () => {
  it('are written, read or unused by the configuration, newest first', () => {
    const keys = [testKey(3, 'aesgcm', false), testKey(12, 'KMS', false), testKey(2, 'aescbc'), testKey(1, 'identity')];
    const status = encryptionStatus(testObjects({ type: 'KMS', keys, writeKey: 3, readKeys: [12, 3, 2] }));
    expect(status.writeKey).toBe('3');
    expect(status.keys).toEqual([
      { id: '12', mode: 'KMS', state: 'read', migrated: false },
      { id: '3', mode: 'aesgcm', state: 'write', migrated: false },
      { id: '2', mode: 'aescbc', state: 'read', migrated: true },
      { id: '1', mode: 'identity', state: 'unused', migrated: true },
    ]);
  });

  it.each(['KMS', 'aescbc', 'aesgcm', 'identity'] as const)('of mode %s may be the write key', (mode) => {
    const status = encryptionStatus(testObjects({ type: mode, keys: [testKey(1, mode)], writeKey: 1, readKeys: [1] }));
    expect(status).toMatchObject({ type: mode, writeKey: '1', keys: [{ id: '1', mode, state: 'write' }] });
  });

  it('are migrated when all resources are', () => {
    const half = { ...testKey(1, 'aescbc'), migrated: { timestamp: 0, resources: ['secrets'] } };
    expect(encryptionStatus(testObjects({ keys: [half] })).keys).toMatchObject([{ migrated: false }]);
  });

  it('that are damaged are left out', () => {
    const objects = testObjects({ keys: [testKey(2, 'KMS'), testKey(1, 'KMS')] });
    const [newer, older] = objects.keySecrets;
    const damaged = [{ ...newer, data: {} }, older].flatMap((secret) => (secret?.metadata ? [secret] : []));
    expect(encryptionStatus({ ...objects, keySecrets: damaged as typeof objects.keySecrets }).keys).toMatchObject([
      { id: '1' },
    ]);
  });

  it.each([
    ['not there', undefined],
    ['damaged', 'no JSON'],
    ['of another kind', '{}'],
  ])('are unused by a configuration that is %s', (_, content) => {
    const objects = testObjects({ keys: [testKey(1, 'KMS')] });
    const data: Record<string, string> =
      content === undefined ? {} : { 'encryption-config': Buffer.from(content).toString('base64') };
    const configSecret = { metadata: { name: 'x', generation: 0, resourceVersion: '', annotations: {} }, data };
    expect(encryptionStatus({ ...objects, configSecret })).toMatchObject({
      writeKey: null,
      keys: [{ state: 'unused' }],
    });
  });
});

describe('the type', () => {
  it('is identity where it is not set', () => {
    expect(encryptionStatus(testObjects({})).type).toBe('identity');
  });

  it('is not known without APIServer/cluster', () => {
    const objects = { ...testObjects({}), apiServer: undefined, operator: undefined };
    expect(encryptionStatus(objects)).toMatchObject({
      type: null,
      encrypted: { status: 'Unknown', reason: 'OperatorObjectMissing' },
    });
  });
});

describe('Encrypted', () => {
  it('is what the operator says', () => {
    expect(encryptionStatus(testObjects({ conditions: [encrypted] })).encrypted).toEqual({
      status: 'True',
      reason: 'EncryptionCompleted',
      message: 'All resources encrypted',
    });
  });

  it('is unknown before it says anything', () => {
    expect(encryptionStatus(testObjects({})).encrypted).toMatchObject({ status: 'Unknown', reason: 'NotReported' });
  });
});

describe('migration', () => {
  const progressing = testCondition('EncryptionMigrationControllerProgressing', 'True', 'Migrating');

  it('is counted while it runs', () => {
    const migrations = [
      { resource: 'secrets', writeKey: '2', outcome: 'running', done: 1200, total: 25000 },
      { resource: 'configmaps', writeKey: '2', outcome: 'succeeded', done: 7, total: 7 },
    ] as const;
    expect(encryptionStatus(testObjects({ migrations })).migration).toEqual({ secrets: { done: 1200, total: 25000 } });
  });

  it('may go on uncounted', () => {
    expect(encryptionStatus(testObjects({ conditions: [progressing] })).migration).toEqual({});
    const rotation = testCondition('EncryptionRotationControllerProgressing', 'True', 'Migrating');
    expect(encryptionStatus(testObjects({ conditions: [rotation] })).migration).toEqual({});
  });

  it('is none otherwise', () => {
    const waiting = testCondition('EncryptionRotationControllerProgressing', 'True', 'WaitingForKeyID');
    expect(encryptionStatus(testObjects({ conditions: [waiting] })).migration).toBe(null);
  });
});

describe('degraded', () => {
  const key = testCondition('EncryptionKeyControllerDegraded', 'True', 'Error', 'no AppRole secret');
  const state = testCondition('EncryptionStateControllerDegraded', 'True', 'Error', 'damaged');
  const prune = testCondition('EncryptionPruneControllerDegraded', 'False');
  const of = (...conditions: readonly ReturnType<typeof testCondition>[]) =>
    degradedStatus(testObjects({ conditions }));

  it('is the sum of all that is', () => {
    expect(of(encrypted, key, state, prune)).toEqual({
      status: 'True',
      reason: 'EncryptionKeyController_Error::EncryptionStateController_Error',
      message: 'EncryptionKeyControllerDegraded: no AppRole secret\nEncryptionStateControllerDegraded: damaged',
    });
  });

  it('has the type before each line', () => {
    const plugins = testCondition('KMSPluginsDegraded', 'True', 'PluginError', 'node a\nnode b');
    expect(of(plugins).message).toBe('KMSPluginsDegraded: node a\nKMSPluginsDegraded: node b');
  });

  it('is so when secrets cannot be read', () => {
    expect(degradedStatus({ ...testObjects({}), unreadable: 'storage is (re)initializing' })).toEqual({
      status: 'True',
      reason: 'Secrets_Unreadable',
      message: 'SecretsDegraded: storage is (re)initializing',
    });
  });

  it('is False where nothing is', () => {
    expect(of(encrypted, prune)).toEqual({ status: 'False', reason: 'AsExpected', message: '' });
  });
});
