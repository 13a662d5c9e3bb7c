import { describe, expect, it } from 'vitest';
import { isProven, reportOn } from './verify.ts';

/** A value of KMS v2: field 2 of its message is the key_id. */
const kms = (key: string, kekID: string): Buffer =>
  Buffer.concat([Buffer.from(`k8s:enc:kms:v2:${key}:`), Buffer.from([2 * 8 + 2, kekID.length]), Buffer.from(kekID)]);

const entries = [
  { key: '/registry/secrets/a/kms1', value: kms('1_secrets', 'kek-a') },
  { key: '/registry/secrets/a/kms2', value: kms('2_secrets', 'kek-b') },
  { key: '/registry/secrets/a/aescbc', value: Buffer.from('k8s:enc:aescbc:v1:3:abc') },
  { key: '/registry/secrets/a/aesgcm', value: Buffer.from('k8s:enc:aesgcm:v1:3:abc') },
  { key: '/registry/secrets/a/plain', value: Buffer.from('k8s\0\n\f') },
];
const wrongOf = async (...expected: Parameters<typeof reportOn>): Promise<readonly string[]> =>
  (await reportOn(...expected)).wrong.map((key) => key.split('/').at(-1) ?? '');

describe('reportOn', () => {
  it('counts by key and KEK', async () => {
    expect(await reportOn(entries, { prefix: 'k8s:enc:kms:v2:1_secrets:', kekID: undefined })).toEqual({
      checked: 5,
      encrypted: 4,
      plaintext: 1,
      byKey: { '1_secrets': 1, '2_secrets': 1, 3: 2 },
      byKekID: { 'kek-a': 1, 'kek-b': 1 },
      wrongCount: 4,
      wrong: expect.arrayContaining(['/registry/secrets/a/kms2', '/registry/secrets/a/plain']),
    });
  });

  it.each([
    ['identity', 'plaintext', ['kms1', 'kms2', 'aescbc', 'aesgcm']],
    ['a key that is not written yet', 'key to come', ['kms1', 'kms2', 'aescbc', 'aesgcm', 'plain']],
    ['KMS', { prefix: 'k8s:enc:kms:v2:1_secrets:', kekID: 'kek-a' }, ['kms2', 'aescbc', 'aesgcm', 'plain']],
    [
      'an older KEK',
      { prefix: 'k8s:enc:kms:v2:1_secrets:', kekID: 'kek-z' },
      ['kms1', 'kms2', 'aescbc', 'aesgcm', 'plain'],
    ],
    ['aescbc', { prefix: 'k8s:enc:aescbc:v1:3:', kekID: undefined }, ['kms1', 'kms2', 'aesgcm', 'plain']],
    [
      'another key',
      { prefix: 'k8s:enc:aescbc:v1:33:', kekID: undefined },
      ['kms1', 'kms2', 'aescbc', 'aesgcm', 'plain'],
    ],
  ] as const)('finds what is not so: %s', async (_, expected, wrong) => {
    expect(await wrongOf(entries, expected)).toEqual(wrong);
  });

  it('names ten and counts the others', async () => {
    const many = Array.from({ length: 12 }, (_, i) => ({ key: `/registry/secrets/a/${i}`, value: Buffer.from('k8s') }));
    const { wrong, wrongCount } = await reportOn(many, 'key to come');
    expect([wrong.length, wrongCount]).toEqual([10, 12]);
  });
});

describe('isProven', () => {
  const expected = { prefix: 'k8s:enc:kms:v2:1_secrets:', kekID: 'kek-a' };

  it('is so where everything is as it should be', async () => {
    expect(isProven({ resources: { secrets: await reportOn(entries.slice(0, 1), expected) }, roundTrip: true })).toBe(
      true,
    );
  });

  it('is not by an empty resource, a wrong object or a failed round trip', async () => {
    const secrets = await reportOn(entries.slice(0, 1), expected);
    expect(isProven({ resources: { secrets }, roundTrip: false })).toBe(false);
    expect(isProven({ resources: { secrets: await reportOn([], expected) }, roundTrip: true })).toBe(false);
    expect(isProven({ resources: { secrets: await reportOn(entries, expected) }, roundTrip: true })).toBe(false);
  });
});
