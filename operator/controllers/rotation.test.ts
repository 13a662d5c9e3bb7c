import { describe, expect, it } from 'vitest';
import { annotations } from '../names.ts';
import type { Observation } from '../observation.ts';
import { sha256 } from '../sha256.ts';
import { situationOf } from '../situation.ts';
import { annotated, both, configSecretOf, keyOf, noon, observationOf, secretOf } from '../testing/fixtures.ts';
import { rotationController } from './rotation.ts';

const config = configSecretOf([keyOf(1, 'KMS')]);
const secret = secretOf(1, 'KMS', both);
const nodes = ['cp-1', 'cp-2', 'cp-3'];

const backend = (wished: number, served: readonly number[] = [wished, wished, wished]): Observation['backend'] => ({
  spec: { keyVersions: { '1': wished } },
  status: {
    nodes: Object.fromEntries(
      nodes.map((node, index) => {
        const version = served[index] ?? 1;
        return [node, { observedGeneration: 1, keys: { '1': { version, keyID: `id-${version}` } } }];
      }),
    ),
  },
});

const base = observationOf({ config, mode: 'KMS', keySecrets: [secret] });

const seeing = (...versions: readonly number[]): Observation['apiServers'] =>
  base.apiServers.map((server, index) => {
    const hash = sha256(`id-${versions[index]}`);
    return { ...server, keyIDHashes: { '1_secrets': hash, '1_configmaps': hash } };
  });

const rotate = (changes: Partial<Observation>) => rotationController.decide(situationOf({ ...base, ...changes }, noon));

const idle = [
  { type: 'EncryptionRotationControllerDegraded', status: 'False' },
  { type: 'EncryptionRotationControllerProgressing', status: 'False' },
];

const migration = (resource: string, outcome: 'running' | 'succeeded' | 'failed', writeKey = '1@2') => ({
  resource,
  writeKey,
  outcome,
  finishedAt: '2026-11-21T11:59:00Z',
  message: 'no quorum',
});

describe('nothing is written again', () => {
  it.each<[string, Partial<Observation>]>([
    ['without backend', { backend: undefined }],
    ['at the first version', { backend: backend(1) }],
    [
      'at a version that has been written',
      { backend: backend(2), keySecrets: [annotated(secret, { [annotations.migratedKeyVersion]: '2' })] },
    ],
    [
      'while the key itself is being migrated to',
      { backend: backend(2), keySecrets: [secretOf(1, 'KMS', ['secrets'])] },
    ],
    ['while another configuration is to come', { backend: backend(2), keySecrets: [secret, secretOf(2)] }],
    ['while API servers differ', { backend: backend(2), apiServers: [] }],
  ])('%s', (_, changes) => {
    expect(rotate({ apiServers: seeing(2, 2, 2), ...changes })).toEqual({ actions: [], conditions: idle });
  });

  it.each<[string, Partial<Observation>, string]>([
    [
      'a plugin serves it',
      { backend: backend(2, [2, 1, 2]), apiServers: seeing(2, 2, 2) },
      'the plugin on node cp-2 does not serve it yet',
    ],
    [
      'plugins agree on it',
      { backend: backend(2, [2, 3, 2]), apiServers: seeing(2, 2, 2) },
      'plugins do not agree on its key_id',
    ],
    [
      'an API server has seen it',
      { backend: backend(2), apiServers: seeing(2, 2, 1) },
      'the API server of cp-3 has not seen it yet',
    ],
    [
      'nobody tells of it',
      { backend: { spec: { keyVersions: { '1': 2 } } } },
      'the plugin on node cp-1 does not serve it yet',
    ],
  ])('before %s', (_, changes, cause) => {
    expect(rotate(changes)).toMatchObject({
      actions: [],
      conditions: [
        idle[0],
        { status: 'True', reason: 'WaitingForKeyID', message: `waiting for version 2 of key 1: ${cause}` },
      ],
    });
  });
});

describe('a new version that every API server has seen', () => {
  const seen = { backend: backend(2), apiServers: seeing(2, 2, 2) };

  it('has everything written again', () => {
    const { actions, conditions } = rotate(seen);
    expect(actions).toMatchObject([
      { kind: 'ensureMigration', resource: 'configmaps', writeKey: '1@2' },
      { kind: 'ensureMigration', resource: 'secrets', writeKey: '1@2' },
    ]);
    expect(conditions?.[1]?.message).toBe('migrating resources to version 2 of key 1: [core/configmaps core/secrets]');
  });

  it('does not take the migration of another version, or of the key itself, for its own', () => {
    const migrations = [migration('secrets', 'succeeded', '1'), migration('configmaps', 'succeeded', '1@1')];
    expect(rotate({ ...seen, migrations }).actions).toHaveLength(2);
  });

  it('is noted on the key when all is written', () => {
    const migrations = both.map((resource) => migration(resource, 'succeeded'));
    expect(rotate({ ...seen, migrations })).toMatchObject({
      conditions: idle,
      actions: [
        { kind: 'updateKeySecret', secret: { metadata: { annotations: { [annotations.migratedKeyVersion]: '2' } } } },
      ],
    });
  });

  it('tells of a failure', () => {
    const migrations = [migration('secrets', 'failed'), migration('configmaps', 'succeeded')];
    expect(rotate({ ...seen, migrations })).toMatchObject({
      actions: [],
      conditions: [
        { status: 'True', message: 'migration of secrets for key "1@2" failed: no quorum' },
        { status: 'False' },
      ],
      recheckAfterMs: 240_001,
    });
  });
});
