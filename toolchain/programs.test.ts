import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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

describe.each(groups.map((group) => ({ group, name: group.name })))('$name', ({ group }) => {
  const { build } = group;

  test.runIf(build?.kind === 'go')(
    'each package is a tool of the module that pins it, in the version of the table',
    async () => {
      const pins = await goMod(build?.module ?? '');
      for (const { name, package: path = '' } of group.programs) {
        expect(pins, name).toMatch(new RegExp(`^(tool )?\\s*${path}$`, 'm'));
        const modules = [...pins.matchAll(/^(?:require)?\s+(\S+) v(\S+)/gm)].map(([, module = '', version]) => ({
          module,
          version,
        }));
        const [owner] = modules
          .filter(({ module }) => path === module || path.startsWith(`${module}/`))
          .sort((a, b) => b.module.length - a.module.length);
        expect(owner?.version, name).toBe(group.version);
      }
    },
  );

  test('every program has a way to be had', () => {
    for (const { name, release, package: path } of group.programs) {
      expect(release !== undefined || path !== undefined || build?.kind === 'c', name).toBe(true);
    }
  });
});

test.each(['amd64', 'arm64'] as const)(
  'releases for %s name that processor, the version, and a checksum beside',
  (arch) => {
    for (const { version, programs } of [...groupsFor(arch), ...pluginsFor(arch)] as readonly Group[]) {
      for (const { release } of programs) {
        if (release === undefined) continue;
        expect(release.url).toContain(version);
        expect(release.url).toMatch(arch === 'amd64' ? /amd64|x64/ : /arm64/);
        expect(new URL(release.checksumsUrl).host).toBe(new URL(release.url).host);
        expect(release.checksumsUrl).toMatch(/sha256|SHA256SUMS|checksums/);
        expect(isArchive(release.checksumsUrl)).toBe(false);
      }
    }
  },
);
