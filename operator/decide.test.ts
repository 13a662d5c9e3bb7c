import { describe, expect, it } from 'vitest';
import { conditionsAfterFailure, decide } from './decide.ts';
import type { Observation, OperatorCondition } from './observation.ts';
import { both, configSecretOf, keyOf, noon, observationOf, secretOf } from './testing/fixtures.ts';

const bytes = (size: number) => new Uint8Array(size);
const decided = (observation: Observation, now = noon) => decide(observation, now, bytes);
const conditionsOf = (decision: ReturnType<typeof decide>): readonly OperatorCondition[] =>
  decision.conditions.flatMap(({ conditions }) => conditions);
const showing = (observation: Observation, decision: ReturnType<typeof decide>): Observation => ({
  ...observation,
  operator: { ...observation.operator, conditions: conditionsOf(decision) },
});

const settled = observationOf({ config: configSecretOf([keyOf(1)]), keySecrets: [secretOf(1, 'aescbc', both)] });

describe('the controllers rest', () => {
  it.each<[string, Observation]>([
    ['without mode', observationOf({ mode: '' })],
    ['with mode identity', observationOf({ mode: 'identity' })],
    ['without APIServer object', observationOf({ encryption: undefined })],
    [
      'where the operator is not managed',
      { ...observationOf({}), operator: { managementState: 'Unmanaged', conditions: [] } },
    ],
    [
      'where the operator is removed',
      { ...observationOf({}), operator: { managementState: 'Removed', conditions: [] } },
    ],
  ])('%s', (_, observation) => {
    const decision = decided(observation);
    expect(decision.actions).toEqual([]);
    const ofControllers = conditionsOf(decision).filter(({ type }) => type !== 'StaticPodsAvailable');
    expect(new Set(ofControllers.map(({ status, reason, message }) => `${status} ${reason} ${message}`))).toEqual(
      new Set(['False undefined undefined']),
    );
  });

  it('and say nothing without an operator object', () => {
    expect(decided({ ...settled, operator: undefined })).toMatchObject({ actions: [], conditions: [] });
  });
});

describe('the controllers work', () => {
  it.each<[string, Observation]>([
    ['with a mode', observationOf({})],
    ['with mode KMS', observationOf({ mode: 'KMS' })],
    ['with a key from before', observationOf({ mode: 'identity', keySecrets: [secretOf(1)] })],
    ['with a configuration from before', observationOf({ mode: 'identity', config: configSecretOf([keyOf(1)]) })],
    ['without a word about management', { ...observationOf({}), operator: { conditions: [] } }],
  ])('%s', (_, observation) => {
    const reasons = conditionsOf(decided(observation)).map(({ reason }) => reason);
    expect(reasons.some((reason) => reason !== undefined)).toBe(true);
  });
});

describe('conditions', () => {
  it('have the field managers and types of OpenShift', () => {
    const sets = decided(settled).conditions.map(({ fieldManager, conditions }) => [
      fieldManager,
      conditions.map(({ type }) => type),
    ]);
    expect(sets).toEqual([
      ['openshift-kube-apiserver-EncryptionKey', ['EncryptionKeyControllerDegraded']],
      [
        'openshift-kube-apiserver-EncryptionKMSPreflight',
        ['EncryptionKMSPreflightControllerDegraded', 'EncryptionKMSPreflightControllerProgressing'],
      ],
      ['openshift-kube-apiserver-EncryptionState', ['EncryptionStateControllerDegraded']],
      [
        'openshift-kube-apiserver-EncryptionMigration',
        ['EncryptionMigrationControllerDegraded', 'EncryptionMigrationControllerProgressing'],
      ],
      ['openshift-kube-apiserver-EncryptionPrune', ['EncryptionPruneControllerDegraded']],
      [
        'openshift-kube-apiserver-EncryptionRotation',
        ['EncryptionRotationControllerDegraded', 'EncryptionRotationControllerProgressing'],
      ],
      ['openshift-kube-apiserver-EncryptionCondition', ['Encrypted']],
      ['openshift-kube-apiserver-StaticPods', ['StaticPodsAvailable']],
    ]);
  });

  it('keep the time of a status until it changes, and need no request while nothing changes', () => {
    const first = decided(settled);
    expect(first.conditions.every(({ changed }) => changed)).toBe(true);
    const second = decided(showing(settled, first), noon + 60_000);
    expect(second.conditions.some(({ changed }) => changed)).toBe(false);
    const broken = decided(showing({ ...settled, encryption: { type: 'rot13' } }, first), noon + 60_000);
    expect(broken.conditions.filter(({ changed }) => changed)).toEqual([
      {
        controller: 'EncryptionKey',
        fieldManager: 'openshift-kube-apiserver-EncryptionKey',
        changed: true,
        conditions: [
          {
            type: 'EncryptionKeyControllerDegraded',
            status: 'True',
            reason: 'Error',
            message: 'unknown encryption mode configured: rot13',
            lastTransitionTime: '2026-11-21T12:01:00Z',
          },
        ],
      },
    ]);
  });

  it('of a wish that cannot be met come with no action', () => {
    expect(decided({ ...settled, encryption: { type: 'rot13' } }).actions).toEqual([]);
  });

  it('tell of an action that failed', () => {
    const observation = observationOf({});
    const decision = decided(observation);
    const [key, ...others] = conditionsAfterFailure(
      decision,
      { controller: 'EncryptionKey', message: 'forbidden' },
      [],
      noon,
    );
    expect(key?.conditions).toMatchObject([
      { type: 'EncryptionKeyControllerDegraded', status: 'True', reason: 'Error', message: 'forbidden' },
    ]);
    expect(others).toEqual(decision.conditions.slice(1));
  });

  it('of all controllers but the last tell of a configuration that nobody understands', () => {
    const config = { ...configSecretOf([keyOf(1)]), data: { 'encryption-config': 'bm9wZQ==' } };
    const decision = decided(observationOf({ config }));
    expect(decision.actions).toEqual([]);
    expect(decision.converged).toBe(false);
    expect(decision.conditions.map(({ controller }) => controller)).not.toContain('EncryptionCondition');
    const degraded = conditionsOf(decision).filter(({ type }) => type.endsWith('Degraded'));
    expect(new Set(degraded.map(({ status }) => status))).toEqual(new Set(['True']));
  });
});

describe('the next look', () => {
  it('is in a minute where all is done', () => {
    expect(decided(settled)).toMatchObject({ actions: [], converged: true, recheckAfterMs: 60_000 });
  });

  it('is soon where API servers have not converged', () => {
    expect(decided({ ...settled, apiServers: [] })).toMatchObject({
      actions: [],
      converged: false,
      recheckAfterMs: 500,
    });
  });
});
