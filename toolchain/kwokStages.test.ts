import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kwokStages } from './kwokStages.ts';
import { groupsFor } from './programs.ts';

const { build, programs, version } = kwokStages;

test('the stages are of the kwok that is built', async () => {
  const pins = await readFile(join(import.meta.dirname, 'modules', build.module, 'go.mod'), 'utf8');
  expect(pins).toContain(`${build.goModule} v${version}`);
  expect(build.url.endsWith(`/v${version}`)).toBe(true);
  expect(groupsFor('amd64').find(({ name }) => name === 'kwok')?.version).toBe(version);
});

test('each has its place and its digest, and is data', () => {
  expect(Object.keys(build.files)).toEqual(programs.map(({ name }) => name));
  for (const { name, isData } of programs) {
    expect(build.files[name].path.endsWith(`/${name}`)).toBe(true);
    expect(build.files[name].sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(isData).toBe(true);
  }
});
