import { expect, test } from 'vitest';
import { parcelsFor } from './release.ts';

const archive = { url: 'https://x/a.tgz', checksumsUrl: 'https://x/a.tgz.sha256' };
const single = { url: 'https://x/b', checksumsUrl: 'https://x/b.sha256' };

test('an archive that holds several programs is fetched once', () => {
  const programs = [
    { name: 'a1', release: archive },
    { name: 'b', release: single },
    { name: 'a2', release: archive },
  ];
  expect(parcelsFor(programs)).toEqual([
    { release: archive, names: ['a1', 'a2'] },
    { release: single, names: ['b'] },
  ]);
});

test('what nobody publishes is not to be downloaded in part', () => {
  expect(parcelsFor([{ name: 'a1', release: archive }, { name: 'own' }])).toBeUndefined();
});
