import { describe, expect, it } from 'vitest';
import type { Observation, Secret } from '../observation.ts';
import { situationOf } from '../situation.ts';
import { both, configSecretOf, keyOf, noon, observationOf, secretOf } from '../testing/fixtures.ts';
import { pruneController } from './prune.ts';

const keys = (count: number): readonly Secret[] =>
  Array.from({ length: count }, (_, index) => secretOf(index + 1, 'aescbc', both));

const prune = (keySecrets: readonly Secret[], used: readonly number[], changes: Partial<Observation> = {}) => {
  const config = configSecretOf(used.map((number) => keyOf(number)));
  return pruneController.decide(situationOf(observationOf({ config, keySecrets, ...changes }), noon)).actions;
};

const deleted = (actions: ReturnType<typeof prune>): readonly string[] =>
  actions.flatMap((action) => (action.kind === 'deleteKeySecret' ? [action.name.split('-').at(-1) ?? ''] : []));

describe('old keys', () => {
  it('are kept up to ten that nobody uses', () => {
    expect(prune(keys(12), [12, 11])).toEqual([]);
  });

  it('beyond that go, the oldest first to be left', () => {
    expect(deleted(prune(keys(15), [15, 14]))).toEqual(['3', '2', '1']);
  });

  it('that are used stay, however old', () => {
    expect(deleted(prune(keys(15), [15, 1]))).toEqual(['3', '2']);
  });

  it('lose their finalizer first', () => {
    const [update, removal, ...others] = prune(keys(13), [13, 12]);
    expect(update).toMatchObject({
      kind: 'updateKeySecret',
      secret: { metadata: { finalizers: [], resourceVersion: '7' } },
    });
    expect(removal).toMatchObject({ kind: 'deleteKeySecret', name: 'encryption-key-openshift-kube-apiserver-1' });
    expect(others).toMatchObject([
      { kind: 'tell', events: [{ reason: 'EncryptionKeysPruned', message: 'Successfully pruned 1 secrets' }] },
    ]);
  });

  it('that lost their finalizer before a crash are only deleted, and those of others keep theirs', () => {
    const bare = keys(13).map((secret) => ({ ...secret, metadata: { ...secret.metadata, finalizers: [] } }));
    expect(prune(bare, [13, 12]).map(({ kind }) => kind)).toEqual(['deleteKeySecret', 'tell']);
    const shared = keys(13).map((secret) => ({
      ...secret,
      metadata: { ...secret.metadata, finalizers: ['mine', ...(secret.metadata.finalizers ?? [])] },
    }));
    expect(prune(shared, [13, 12])[0]).toMatchObject({ secret: { metadata: { finalizers: ['mine'] } } });
  });

  it('that are invalid count as unused', () => {
    const secrets = keys(13).map((secret, index) => (index === 0 ? { ...secret, data: {} } : secret));
    expect(deleted(prune(secrets, [13, 12]))).toEqual(['1']);
  });

  it('stay while API servers differ', () => {
    expect(prune(keys(15), [15, 14], { apiServers: [] })).toEqual([]);
  });
});
