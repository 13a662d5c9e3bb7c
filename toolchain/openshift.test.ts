import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openShiftCrds } from './openshift.ts';

const { build, programs, version } = openShiftCrds;

test('the Go module and the downloads are of the same commit', async () => {
  const pins = await readFile(join(import.meta.dirname, 'modules', build.module, 'go.mod'), 'utf8');
  expect(pins).toContain(`require ${build.goModule} v${version}\n`);
  const [commit = ''] = build.url.split('/').slice(-1);
  expect(commit).toMatch(/^[0-9a-f]{40}$/);
  expect(version.endsWith(`-${commit.slice(0, 12)}`)).toBe(true);
});

const ofAllFeatureSets = ['clusteroperators.config.openshift.io.yaml'];

test('each file has its place, its digest and its feature set, and is data', () => {
  for (const { name, isData } of programs) {
    const [plural = ''] = name.split('.');
    const featureSet = ofAllFeatureSets.includes(name) ? '' : '-TechPreviewNoUpgrade';
    expect(build.files[name].path).toMatch(new RegExp(`_${plural}${featureSet}\\.crd\\.yaml$`));
    expect(build.files[name].sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(isData).toBe(true);
  }
  expect(Object.keys(build.files)).toEqual(programs.map(({ name }) => name));
});
