import { describe, expect, it } from 'vitest';
import { configHashOf, deployedConfig, isAlone } from './deployed.ts';
import type { ApiServerObservation } from './observation.ts';
import { configSecretOf, copyOf, keyOf, observationOf } from './testing/fixtures.ts';

const old = configSecretOf([keyOf(1)]);
const config = configSecretOf([keyOf(2), keyOf(1)]);
const base = observationOf({ config });

const server = (node: string, hash: string | undefined, failure?: string): ApiServerObservation => ({
  node,
  configHash: hash,
  keyIDHashes: {},
  ...(failure === undefined ? {} : { failure }),
});

const [first, second, third] = ['cp-1', 'cp-2', 'cp-3'].map((node) => server(node, configHashOf(config)));
if (first === undefined || second === undefined || third === undefined) throw new Error('three servers');

describe('a configuration is deployed', () => {
  it('once every API server has its hash', () => {
    expect(deployedConfig(base)).toEqual({ converged: true, secret: base.configCopy });
  });

  it('where there is none and every API server answers', () => {
    expect(deployedConfig(observationOf({}))).toEqual({ converged: true, secret: undefined });
  });

  it('though source or copy say something else that nobody has loaded', () => {
    expect(deployedConfig({ ...base, configSecret: old })).toEqual({ converged: true, secret: base.configCopy });
    expect(deployedConfig({ ...base, configCopy: copyOf(old) })).toEqual({ converged: true, secret: config });
    expect(deployedConfig({ ...base, configCopy: { metadata: { name: 'x' } } })).toEqual({
      converged: true,
      secret: config,
    });
  });

  it.each<[string, readonly ApiServerObservation[], string]>([
    [
      'one is on the old file',
      [first, second, server('cp-3', configHashOf(old))],
      'the newest configuration is not loaded by the API server of cp-3',
    ],
    [
      'one tells no hash',
      [first, second, server('cp-3', undefined)],
      'the newest configuration is not loaded by the API server of cp-3',
    ],
    [
      'one cannot be asked',
      [first, second, server('cp-3', undefined, 'timeout')],
      'no answer from the API server of cp-3',
    ],
    ['one is missing', [first, third], 'no answer from the API server of cp-2'],
    [
      'a second one of a node is on the old file',
      [first, second, third, server('cp-1', configHashOf(old))],
      'the newest configuration is not loaded by the API server of cp-1',
    ],
    [
      'a second one of a node cannot be asked',
      [first, second, third, server('cp-1', undefined, 'timeout')],
      'API server of cp-1: timeout',
    ],
  ])('not while %s', (_, apiServers, problem) => {
    expect(deployedConfig({ ...base, apiServers })).toEqual({ converged: false, problem });
  });

  it('nowhere without control-plane nodes', () => {
    expect(deployedConfig({ ...base, controlPlane: [], apiServers: [] }).converged).toBe(false);
  });
});

it('an API server is alone on a single node, unless two take turns on it', () => {
  const single = { ...base, controlPlane: ['cp-1'], apiServers: [first] };
  expect([isAlone(single), isAlone({ ...single, apiServers: [first, first] }), isAlone(base)]).toEqual([
    true,
    false,
    false,
  ]);
});
