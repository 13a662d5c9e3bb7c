import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { projectDir } from '../../common/paths.ts';
import { crdNames, openShiftCrds } from '../../toolchain/openshift.ts';
import type { Group } from '../../toolchain/recipe.ts';
import { type Fixture, startFixture } from './toolchainFixture.ts';
import { sha256 } from './toolchainServer.ts';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

const content = 'kind: CustomResourceDefinition\n';

const dataGroup = (digest = sha256(content)): Group => ({
  name: 'data',
  version: '1.2.3',
  programs: [{ name: 'one.yaml', isData: true }],
  build: {
    kind: 'files',
    module: 'greeters',
    goModule: 'greeters.invalid',
    url: 'https://sources.example/commit',
    files: { 'one.yaml': { path: 'folder/one.crd.yaml', sha256: digest } },
    packages: [],
  },
});

test('a file is downloaded, checked, kept as it is, and not asked for again', async () => {
  fixture.server.put('/sources.example/commit/folder/one.crd.yaml', content);
  const groups = [dataGroup()];
  const first = await fixture.run({ groups, names: ['one.yaml'] });
  const path = first.paths?.['one.yaml'] ?? '';
  expect(await readFile(path, 'utf8')).toBe(content);
  expect((await stat(path)).mode & 0o777).toBe(0o644);
  expect(await fixture.leftovers()).toEqual([]);

  const asked = fixture.server.requests.length;
  expect((await fixture.run({ groups, names: ['one.yaml'] })).paths).toEqual(first.paths);
  expect(fixture.server.requests).toHaveLength(asked);
});

test('one that is not what is pinned is an error, and nothing is kept', async () => {
  fixture.server.put('/sources.example/commit/folder/one.crd.yaml', 'something else');
  const { error } = await fixture.run({ groups: [dataGroup()], names: ['one.yaml'] });
  expect(error).toMatch(/could not download .*one\.crd\.yaml: its SHA-256 is /);
  expect(await fixture.leftovers()).toEqual([]);
});

test('neither download nor Go: what was tried, and what to do', async () => {
  const env = { PATH: join(fixture.folder, 'empty') };
  const { error } = await fixture.run({ groups: [dataGroup()], names: ['one.yaml'], env, goPlaces: [] });
  expect(error).toMatch(/could not get one\.yaml 1\.2\.3: .*HTTP 404; go build: no Go found/);
});

test("OpenShift's custom resource definitions come out of the pinned Go module where they cannot be downloaded", async () => {
  const { paths, error } = await fixture.run({
    groups: [openShiftCrds],
    modulesDir: join(projectDir, 'toolchain', 'modules'),
    names: crdNames,
  });
  expect(error).toBeUndefined();
  for (const name of crdNames) {
    const definition = parse(await readFile(paths?.[name] ?? '', 'utf8'));
    expect(definition.kind).toBe('CustomResourceDefinition');
    expect(`${definition.metadata.name}.yaml`).toBe(name);
    const { 'release.openshift.io/feature-set': featureSet = 'TechPreviewNoUpgrade' } = definition.metadata.annotations;
    expect(featureSet).toContain('TechPreviewNoUpgrade');
  }
});

test('a Go module that was changed after its download is refused', async () => {
  const name = 'apiservers.config.openshift.io.yaml';
  const files = { ...openShiftCrds.build.files, [name]: { ...openShiftCrds.build.files[name], sha256: sha256('x') } };
  const { error } = await fixture.run({
    groups: [{ ...openShiftCrds, build: { ...openShiftCrds.build, files } }],
    modulesDir: join(projectDir, 'toolchain', 'modules'),
    names: crdNames,
  });
  expect(error).toMatch(/could not take .*_apiservers-.* from .*: its SHA-256 is .*\n.*next: .*go clean -modcache/);
});
