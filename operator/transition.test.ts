import { describe, expect, it } from 'vitest';
import { configOf } from './encryptionConfig.ts';
import { type KeyState, newestFirst } from './keyState.ts';
import { both, keyOf } from './testing/fixtures.ts';
import { nextState } from './transition.ts';

/** A state in one line: `w1 r2,1`; read keys without secret have an exclamation mark. */
const shown = (state: ReturnType<typeof nextState>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...state].map(([resource, { writeKey, readKeys }]) => [
      resource,
      `w${writeKey?.name ?? '-'} r${readKeys.map(({ name, backed }) => name + (backed ? '' : '!')).join(',')}`,
    ]),
  );

const configWith = (
  writeKey: KeyState | undefined,
  readKeys: readonly KeyState[],
  resources: readonly string[] = both,
): ReturnType<typeof configOf> => configOf(new Map(resources.map((resource) => [resource, { writeKey, readKeys }])));

const next = (
  config: ReturnType<typeof configOf> | undefined,
  keys: readonly KeyState[],
  { alone = false, resources = both as readonly string[] } = {},
) => shown(nextState({ config, keys: newestFirst(keys), resources, alone }));

const each = (text: string) => ({ secrets: text, configmaps: text });

const [one, two, three] = [keyOf(1), keyOf(2), keyOf(3)];
const done = (number: number, resources: readonly string[] = both) => keyOf(number, 'aescbc', resources);

describe('the next state of several API servers', () => {
  it.each<[string, ReturnType<typeof next>, Readonly<Record<string, string>>]>([
    ['without configuration and keys: nothing', next(undefined, []), each('w- r')],
    ['without key secrets: as it is, only read', next(configWith(undefined, [one]), []), each('w- r1!')],
    ['without key secrets: as it is, written', next(configWith(one, [one]), []), each('w1 r1!')],
    ['with a first key: read', next(undefined, [one]), each('w- r1')],
    ['with a first key everywhere read: written', next(configWith(undefined, [one]), [one]), each('w1 r1')],
    [
      'with a resource more: read there',
      next(configWith(one, [one], ['configmaps']), [one]),
      { configmaps: 'w1 r1', secrets: 'w- r1' },
    ],
    [
      'with a resource less: gone',
      next(configWith(one, [one]), [one], { resources: ['configmaps'] }),
      { configmaps: 'w1 r1' },
    ],
    [
      'without configuration, with keys that were used: all are read that may be needed, and one more',
      next(undefined, [keyOf(5), done(4, ['configmaps']), done(3), keyOf(2, 'aescbc', ['configmaps']), done(1)]),
      each('w- r5,4,3,2'),
    ],
    [
      'without the secret of the write key: as it is, until there is a newer one',
      next(configWith(keyOf(5), [keyOf(5), keyOf(4), three]), [done(4, ['configmaps']), done(3), two, done(1)]),
      each('w5 r5!,4,3,2'),
    ],
    ['with a new key: read', next(configWith(one, [one]), [one, two]), each('w1 r2,1')],
    ['with the new key everywhere read: written', next(configWith(one, [two, one]), [one, two]), each('w2 r2,1')],
    [
      'with the new key written, not migrated: as it is',
      next(configWith(two, [two, one]), [one, two]),
      each('w2 r2,1'),
    ],
    [
      'half migrated: as it is',
      next(configWith(three, [three, two, one]), [done(1), two, keyOf(3, 'aescbc', ['secrets'])]),
      each('w3 r3,2,1'),
    ],
    [
      'migrated: only the write key and the one before it are read',
      next(configWith(three, [three, two, one]), [done(1), done(2), done(3)]),
      each('w3 r3,2'),
    ],
    ['migrated, no older key: only the write key', next(configWith(two, [two, one]), [done(2)]), each('w2 r2')],
    ['with a KMS key: read', next(configWith(one, [one]), [done(1), keyOf(2, 'KMS')]), each('w1 r2,1')],
    [
      'with a KMS key everywhere read: written',
      next(configWith(one, [keyOf(2, 'KMS'), one]), [done(1), keyOf(2, 'KMS')]),
      each('w2 r2,1'),
    ],
    ['with an identity key: read', next(configWith(one, [one]), [done(1), keyOf(2, 'identity')]), each('w1 r2,1')],
  ])('%s', (_, state, expected) => {
    expect(state).toEqual(expected);
  });
});

describe('the next state of a single API server', () => {
  it.each<[string, ReturnType<typeof next>, string]>([
    ['a first key is read and written at once', next(undefined, [one], { alone: true }), 'w1 r1'],
    ['so is a later one', next(configWith(one, [one]), [done(1), two], { alone: true }), 'w2 r2,1'],
    [
      'so is the one that ends encryption',
      next(configWith(one, [one]), [done(1), keyOf(2, 'identity')], { alone: true }),
      'w2 r2,1',
    ],
    [
      'an older key that is missing comes back before anything goes',
      next(configWith(two, [two]), [done(1), done(2)], { alone: true }),
      'w2 r2,1',
    ],
    [
      'without its secret the newest key is not written',
      next(configWith(one, [two, one]), [done(1)], { alone: true }),
      'w1 r2!,1',
    ],
  ])('%s', (_, state, expected) => {
    expect(state).toEqual(each(expected));
  });
});
