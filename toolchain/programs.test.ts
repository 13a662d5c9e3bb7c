import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { groupsFor, pluginsFor } from './programs.ts';
import type { Group } from './recipe.ts';
import { isArchive } from './unpack.ts';

const groups: readonly Group[] = groupsFor('amd64');
const goMod = (module: string): Promise<string> =>
  readFile(join(import.meta.dirname, 'modules', module, 'go.mod'), 'utf8');

test('names are unique', () => {
  const names = [...groups, ...pluginsFor('amd64')].flatMap(({ programs }) => programs.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
});

const goBuilds = groups.flatMap(({ name, version, programs, build }) =>
  build?.kind === 'go' ? [{ name, version, programs, build }] : [],
);

test.each(goBuilds)(
  '$name: each package is a tool of the module that pins it, in the version of the table',
  async (group) => {
    const pins = await goMod(group.build.module);
    const modules = [...pins.matchAll(/^(?:require)?\s+(\S+) v(\S+)/gm)].map(([, module = '', version]) => ({
      module,
      version,
    }));
    for (const { name, package: path = '' } of group.programs) {
      expect(pins, name).toMatch(new RegExp(`^(tool )?\\s*${path}$`, 'm'));
      const [owner] = modules
        .filter(({ module }) => path === module || path.startsWith(`${module}/`))
        .toSorted((a, b) => b.module.length - a.module.length);
      expect(owner?.version, name).toBe(group.version);
    }
  },
);

test('every program has a way to be had without a download, but for plugins', () => {
  for (const { programs, build } of groups) {
    for (const { name, package: path } of programs) expect(path !== undefined || build?.kind === 'c', name).toBe(true);
  }
});

test.each(['amd64', 'arm64'] as const)(
  'releases for %s name that processor, the version, and a checksum beside',
  (arch) => {
    for (const { version, programs } of [...groupsFor(arch), ...pluginsFor(arch)] as readonly Group[]) {
      for (const { release } of programs) {
        if (release === undefined) continue;
        expect(release.url).toContain(version);
        expect(release.url).toMatch(arch === 'amd64' ? /amd64|x64|x86_64/ : /arm64/);
        expect(new URL(release.checksumsUrl).host).toBe(new URL(release.url).host);
        expect(release.checksumsUrl).toMatch(/sha256|SHA256SUMS|checksums/);
        expect(isArchive(release.checksumsUrl)).toBe(false);
      }
    }
  },
);
