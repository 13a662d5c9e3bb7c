import { describe, expect, it } from 'vitest';
import { UsageFailure } from '../../common/failure.ts';
import { faultKinds } from '../../plugin/faults/fault.ts';
import {
  checkTargets,
  clearing,
  clearingPatch,
  faultFrom,
  faultName,
  faultTargets,
  faultText,
  listFaults,
  nodesBehind,
  settingPatch,
} from './faults.ts';
import { testKey, testObjects } from './testObjects.ts';

const now = Date.parse('2026-11-21T09:00:00Z');
const past = '2026-11-21T08:59:59Z';
const soon = '2026-11-21T09:01:30Z';

describe('a fault from options', () => {
  it('has what was asked for, and ends at a point of time', () => {
    expect(
      faultFrom('latency', { milliseconds: '300', key: '1', node: 'a', method: 'encrypt', for: '90s' }, now),
    ).toEqual({
      kind: 'latency',
      milliseconds: 300,
      key: 1,
      node: 'a',
      method: 'encrypt',
      until: '2026-11-21T09:01:30.000Z',
    });
    expect(faultFrom('error', { code: 'UNAVAILABLE', message: 'gone' }, now)).toEqual({
      kind: 'error',
      code: 'UNAVAILABLE',
      message: 'gone',
    });
    expect(faultFrom('rate-limit', { perSecond: '0.5' }, now)).toEqual({ kind: 'rate-limit', perSecond: 0.5 });
  });

  it.each(faultKinds.filter(({ fields }) => fields.every(({ required }) => !required)).map(({ name }) => name))(
    '%s needs nothing more',
    (kind) => {
      expect(faultFrom(kind, {}, now)).toEqual({ kind });
    },
  );

  it.each([
    ['an unknown kind', 'slow', {}, /'slow' is none of .*missing-socket, latency.*oversized-key-id/],
    ['a field of another kind', 'hang', { milliseconds: '5' }, /hang has no milliseconds[\s\S]*hang takes --method/],
    ['a missing field', 'latency', {}, /milliseconds must be[\s\S]*latency takes --milliseconds, --method/],
    ['two missing fields', 'rate-limit', {}, /perSecond must be[\s\S]*takes --per-second/],
    ['no number', 'latency', { milliseconds: 'x' }, /--milliseconds: 'x' is no number/],
    ['a negative number', 'latency', { milliseconds: '-5' }, /milliseconds must be a whole number from 1/],
    ['a key that is none', 'hang', { key: '-1' }, /key must be a key number/],
    ['an unknown code', 'error', { code: 'OOPS' }, /code must be one of CANCELLED/],
    ['an unknown method', 'hang', { method: 'sign' }, /method must be one of status, encrypt, decrypt/],
    ['a negative duration', 'hang', { for: '-5s' }, /'-5s' is no duration above 0/],
    ['no time at all', 'hang', { for: '0' }, /'0' is no duration above 0/],
    ['a duration without unit', 'hang', { for: '60' }, /write it as '90s'/],
    ['more than a day', 'hang', { for: '25h' }, /give 24h at most/],
  ])('refuses %s', (_, kind, options, words) => {
    expect(() => faultFrom(kind, options, now)).toThrow(words);
    expect(() => faultFrom(kind, options, now)).toThrow(UsageFailure);
  });
});

describe('the target of a fault', () => {
  const backend = { status: { nodes: { a: { keys: { 3: { version: 1, keyID: 'x' } } } } } };
  const keys = [testKey(10, 'KMS'), testKey(2, 'aescbc')];
  const targets = faultTargets(testObjects({ keys, backend }), ['a', 'b']);

  it('may be any node, any KMS key, and the plain plugin', () => {
    expect(targets).toEqual({ nodes: ['a', 'b'], keys: ['0', '3', '10'] });
    checkTargets({ kind: 'hang' }, targets);
    checkTargets({ kind: 'hang', node: 'b', key: 10 }, targets);
  });

  it('is refused where it is not there, with those that are', () => {
    expect(() => checkTargets({ kind: 'hang', node: 'c' }, targets)).toThrow(/no control-plane node 'c'[\s\S]*a, b/);
    expect(() => checkTargets({ kind: 'hang', key: 2 }, targets)).toThrow(/no KMS key 2[\s\S]*0, 3, 10/);
  });
});

describe('the name of a fault', () => {
  const faults = { hang: { kind: 'hang' }, 'hang-2': { kind: 'hang', until: past }, slow: { kind: 'latency' } };

  it('is the kind, with a number where that is taken', () => {
    expect(faultName('latency', undefined, faults, now)).toBe('latency');
    expect(faultName('hang', undefined, faults, now)).toBe('hang-2');
  });

  it("is the user's, who may replace a fault by it", () => {
    expect(faultName('latency', 'slow', faults, now)).toBe('slow');
  });

  it.each(['', 'A', 'a_b', '-a', 'a'.repeat(64)])("refuses '%s'", (name) => {
    expect(() => faultName('hang', name, faults, now)).toThrow(/--name must be a name/);
  });
});

describe('changing faults', () => {
  const faults = {
    old: { kind: 'hang', until: past },
    slow: { kind: 'latency', milliseconds: 300, node: 'a', until: soon },
  };

  it('sets one whole, and forgets those that have ended', () => {
    expect(settingPatch(faults, 'new', { kind: 'hang' }, now)).toEqual({ old: null, new: { kind: 'hang' } });
  });

  it('keeps nothing of the fault that it replaces', () => {
    expect(settingPatch(faults, 'slow', { kind: 'hang', key: 1 }, now)).toEqual({
      old: null,
      slow: { kind: 'hang', key: 1, milliseconds: null, node: null, until: null },
    });
    expect(settingPatch(faults, 'old', { kind: 'hang' }, now)).toEqual({ old: { kind: 'hang', until: null } });
  });

  it('clears one, or all, and those that have ended', () => {
    expect(clearing(faults, 'slow')).toEqual(['slow']);
    expect(clearingPatch(faults, ['slow'], now)).toEqual({ slow: null, old: null });
    expect(clearing(faults, undefined)).toEqual(['old', 'slow']);
    expect(clearing({}, undefined)).toEqual([]);
  });

  it('says which there are where one is not', () => {
    expect(() => clearing(faults, 'nosuch')).toThrow(/none of that name[\s\S]*old, slow/);
    expect(() => clearing({}, 'nosuch')).toThrow(/there is no fault at all/);
  });
});

describe('listing faults', () => {
  const { backend } = testObjects({
    backend: {
      spec: {
        faults: {
          old: { kind: 'hang', until: past },
          slow: { kind: 'latency', milliseconds: 300, key: 1, node: 'a', until: soon },
          stuck: { kind: 'hang' },
        },
      },
    },
  });

  it('tells name, kind, key, node and whether it has ended', () => {
    expect(listFaults(backend, now)).toEqual([
      { name: 'old', state: 'ended', kind: 'hang', until: past },
      { name: 'slow', state: 'active', kind: 'latency', milliseconds: 300, key: 1, node: 'a', until: soon },
      { name: 'stuck', state: 'active', kind: 'hang' },
    ]);
    expect(listFaults(undefined, now)).toEqual([]);
  });

  it('tells the time left in words', () => {
    expect(listFaults(backend, now).map((fault) => faultText(fault, now))).toEqual([
      'old  hang  every key, every node  ended',
      'slow  latency milliseconds 300  key 1, a  1m30s left',
      'stuck  hang  every key, every node  until cleared',
    ]);
  });
});

describe('nodes that a change has not reached', () => {
  it('are those that report an older generation, or none', () => {
    const { backend } = testObjects({
      backend: { status: { nodes: { a: { observedGeneration: 4 }, b: { observedGeneration: 3 } } } },
    });
    expect(nodesBehind(backend, ['a', 'b', 'c'], 4)).toEqual(['b', 'c']);
  });
});
