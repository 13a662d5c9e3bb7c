import { describe, expect, it } from 'vitest';
import { encryptionStatus } from './state.ts';
import { encrypted, testCondition, testKey, testObjects } from './testObjects.ts';
import { isReached, lookAtTransition } from './transition.ts';

const done = (mode: 'KMS' | 'aescbc', number = 1) =>
  testObjects({
    type: mode,
    keys: [testKey(number, mode)],
    writeKey: number,
    readKeys: [number],
    conditions: [encrypted],
  });
const decrypted = (reason: string) => testCondition('Encrypted', 'False', reason);
const reached = (mode: 'KMS' | 'aescbc' | 'identity', objects: ReturnType<typeof testObjects>, newerThan = 0) =>
  isReached({ mode, newerThan }, encryptionStatus(objects));

describe('a goal is reached', () => {
  it('when the newest key is of its mode, written and migrated, and the operator says so', () => {
    expect(reached('KMS', done('KMS'))).toBe(true);
    expect(reached('aescbc', done('KMS'))).toBe(false);
  });

  it('not by a condition that is about what was before', () => {
    const keys = [testKey(2, 'aescbc', false), testKey(1, 'KMS')];
    expect(reached('aescbc', testObjects({ keys, writeKey: 1, readKeys: [2, 1], conditions: [encrypted] }))).toBe(
      false,
    );
    expect(reached('aescbc', testObjects({ keys, writeKey: 2, readKeys: [2, 1], conditions: [encrypted] }))).toBe(
      false,
    );
  });

  it('not before the condition follows', () => {
    const keys = [testKey(1, 'KMS')];
    const conditions = [decrypted('EncryptionInProgress')];
    expect(reached('KMS', testObjects({ keys, writeKey: 1, readKeys: [1], conditions }))).toBe(false);
  });

  it('by a newer key only, where that is asked for', () => {
    expect(reached('KMS', done('KMS', 4), 4)).toBe(false);
    expect(reached('KMS', done('KMS', 5), 4)).toBe(true);
  });

  it('for identity, when everything is decrypted or never was encrypted', () => {
    expect(reached('identity', testObjects({ conditions: [decrypted('EncryptionDisabled')] }))).toBe(true);
    const keys = [testKey(2, 'identity'), testKey(1, 'KMS')];
    const at = (reason: string) =>
      reached('identity', testObjects({ keys, writeKey: 2, readKeys: [2, 1], conditions: [decrypted(reason)] }));
    expect([at('DecryptionInProgress'), at('DecryptionCompleted')]).toEqual([false, true]);
    expect(reached('identity', done('KMS'))).toBe(false);
    expect(reached('identity', testObjects({}))).toBe(false);
  });
});

describe('a look at a transition', () => {
  const before = {
    ...done('KMS'),
    ...testObjects({ ...{}, revisions: { a: 3, b: 7 } }),
    keySecrets: done('KMS').keySecrets,
  };
  const goal = { mode: 'aescbc', newerThan: 0 } as const;
  const keys = [testKey(2, 'aescbc', false), testKey(1, 'KMS')];
  const texts = (objects: ReturnType<typeof testObjects>): readonly string[] =>
    lookAtTransition(goal, before, objects).told.map(({ text }) => text);

  it('tells of nothing before anything happens', () => {
    expect(texts(before)).toEqual([]);
  });

  it('tells of the key, and on how many nodes its configuration is', () => {
    expect(texts(testObjects({ keys, writeKey: 1, readKeys: [2, 1], revisions: { a: 4, b: 7 } }))).toEqual([
      'key 2 (aescbc) created',
      'configuration 1 rolled out to 1 of 2 nodes',
    ]);
  });

  it('tells of what is written again', () => {
    const migrations = [{ resource: 'secrets', writeKey: '2', outcome: 'running', done: 5, total: 9 }] as const;
    expect(texts(testObjects({ keys, writeKey: 2, readKeys: [2, 1], revisions: { a: 5, b: 9 }, migrations }))).toEqual([
      'key 2 (aescbc) created',
      'configuration 2 rolled out to 2 of 2 nodes',
      'key 2 becomes the write key',
      'migrating secrets 5 of 9',
    ]);
  });

  it('tells of what is not counted yet by its name', () => {
    const migrations = [{ resource: 'secrets', writeKey: '2', outcome: 'running', done: 0, total: 0 }] as const;
    expect(texts(testObjects({ migrations }))).toEqual(['migrating secrets']);
  });

  it('tells at once what is out of order, and that it is why nothing comes of it', () => {
    const degraded = testCondition('EncryptionKeyControllerDegraded', 'True', 'Error', 'plugin on node a is down');
    const look = lookAtTransition(goal, before, testObjects({ conditions: [encrypted, degraded] }));
    expect(look.told).toContainEqual({ text: 'EncryptionKeyControllerDegraded: plugin on node a is down' });
    expect(look.obstacle).toBe('EncryptionKeyControllerDegraded: plugin on node a is down');
  });

  it('sees no end while secrets cannot be read', () => {
    const objects = { ...testObjects({ conditions: [decrypted('EncryptionDisabled')] }), unreadable: 'KMS is down' };
    const look = lookAtTransition({ mode: 'identity', newerThan: 0 }, before, objects);
    expect(look).toMatchObject({ done: false, obstacle: 'SecretsDegraded: KMS is down' });
  });

  it('names the nodes that the operator does not reach', () => {
    const message = '1 nodes are active; no answer from node-b, node-c';
    const conditions = [testCondition('StaticPodsAvailable', 'True', 'AsExpected', message)];
    const { obstacle, told } = lookAtTransition(goal, before, testObjects({ conditions }));
    expect(obstacle).toBe('the operator gets no answer from the API server of node-b, node-c');
    expect(told).toEqual([]);
  });

  it('gives the condition as reason otherwise', () => {
    expect(lookAtTransition(goal, before, testObjects({})).obstacle).toMatch(/^Encrypted is Unknown \(NotReported\)/);
  });
});
