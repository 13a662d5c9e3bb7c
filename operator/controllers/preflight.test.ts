import { describe, expect, it } from 'vitest';
import { resolveKms } from '../kmsProvider.ts';
import type { Observation, Preflight } from '../observation.ts';
import { situationOf } from '../situation.ts';
import { appRoleSecret, caBundle, kmsSpec, noon, observationOf, vaultPlugin } from '../testing/fixtures.ts';
import { preflightController } from './preflight.ts';

const { hash } = resolveKms(vaultPlugin, [appRoleSecret], [caBundle]);

const check = (preflight: Preflight | undefined, changes: Partial<Observation> = {}) => {
  const operator = { conditions: [], ...(preflight && { preflight }) };
  return preflightController.decide(situationOf(observationOf({ encryption: kmsSpec, operator, ...changes }), noon));
};

const asked = { observedConfigHash: hash };
const result = (status: 'Succeeded' | 'Failed', configHash = hash) => ({
  ...asked,
  result: { status, configHash, remoteKeyID: 'k' },
});

const quiet = [
  { type: 'EncryptionKMSPreflightControllerDegraded', status: 'False' },
  { type: 'EncryptionKMSPreflightControllerProgressing', status: 'False' },
];

describe('the preflight', () => {
  it.each<[string, ReturnType<typeof check>]>([
    ['nobody has asked for it', check(undefined)],
    ['it has passed', check(result('Succeeded'))],
    ['the configuration has changed since it was asked for', check({ observedConfigHash: 'AAAAAA==' })],
    ['KMS is no longer wished for', check(asked, { encryption: { type: 'identity' } })],
  ])('rests where %s', (_, outcome) => {
    expect(outcome).toEqual({ actions: [], conditions: quiet });
  });

  it.each<[string, Preflight]>([
    ['for the first time', asked],
    ['after another configuration', result('Succeeded', 'AAAAAA==')],
    ['after a failure, which is never final', result('Failed')],
  ])('passes %s once every plugin is ready', (_, preflight) => {
    expect(check(preflight)).toEqual({
      conditions: quiet,
      actions: [
        {
          controller: 'EncryptionKMSPreflight',
          kind: 'writePreflight',
          preflight: {
            observedConfigHash: hash,
            result: { status: 'Succeeded', configHash: hash, remoteKeyID: 'not-reported' },
          },
        },
      ],
    });
  });

  it.each([
    ['the plain plugin', { '0': { version: 1, keyID: 'plain' }, '2': { version: 1, keyID: 'two' } }, 'plain'],
    ['the newest key', { '9': { version: 1, keyID: 'nine' }, '10': { version: 1, keyID: 'ten' } }, 'ten'],
  ])('tells the key_id of %s', (_, keys, remoteKeyID) => {
    const backend = { status: { nodes: { 'cp-2': { observedGeneration: 1, keys } } } };
    expect(check(asked, { backend }).actions).toMatchObject([{ preflight: { result: { remoteKeyID } } }]);
  });

  it('goes on trying, with node and cause, while a plugin is not ready', () => {
    const plugins = [
      { node: 'cp-1', ready: true },
      { node: 'cp-2', ready: true },
      { node: 'cp-3', ready: false, cause: 'CrashLoopBackOff' },
    ];
    expect(check(asked, { plugins })).toMatchObject({
      actions: [],
      recheckAfterMs: 500,
      conditions: [
        {
          status: 'True',
          reason: 'PreflightCheckFailed',
          message: expect.stringContaining('cp-3 is not ready: CrashLoopBackOff'),
        },
        { type: 'EncryptionKMSPreflightControllerProgressing', status: 'True', reason: 'RunningPreflightCheck' },
      ],
    });
  });

  it('fails where a referenced secret is missing', () => {
    expect(() => check(asked, { referencedSecrets: [] })).toThrow('failed to get secret vault-approle');
  });
});
