import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { GoBuild, Group, Program } from './recipe.ts';
import { cacheKey, install } from './store.ts';

const program: Program = { name: 'etcd', package: 'go.etcd.io/etcd/server/v3' };
const build: GoBuild = { kind: 'go', module: 'etcd', cgo: false, tags: [], variables: {}, packages: [] };
const group: Group = { name: 'etcd', version: '3.7.3', programs: [program], build };

describe('cacheKey', () => {
  const key = cacheKey(program, group, 'amd64', 'pins');

  test('tells program, version, system and how it is made', () => {
    expect(key).toMatch(/^etcd-3\.7\.3-linux-amd64-[0-9a-f]{12}$/);
    expect(cacheKey(program, group, 'amd64', 'pins')).toBe(key);
  });

  test.each([
    ['pins', program, group, 'amd64', 'other pins'],
    ['tags', program, { ...group, build: { ...build, tags: ['seccomp'] } }, 'amd64', 'pins'],
    ['package', { ...program, package: 'go.etcd.io/etcd/etcdctl/v3' }, group, 'amd64', 'pins'],
    ['version', program, { ...group, version: '3.7.4' }, 'amd64', 'pins'],
    ['processor', program, group, 'arm64', 'pins'],
    ['download', { ...program, release: { url: 'u', checksumsUrl: 'c' } }, group, 'amd64', 'pins'],
  ] as const)('is another for other %s', (_what, otherProgram, otherGroup, arch, pins) => {
    expect(cacheKey(otherProgram, otherGroup, arch, pins)).not.toBe(key);
  });

  test('stays when another program joins the group', () => {
    const wider = { ...group, programs: [program, { name: 'etcdctl' }] };
    expect(cacheKey(program, wider, 'amd64', 'pins')).toBe(key);
  });
});

describe('install', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-store-'));
    await mkdir(join(folder, 'work'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('moves the program in, executable, in place of what a crash may have left', async () => {
    const target = join(folder, 'key', 'etcd');
    await mkdir(join(folder, 'key'));
    await writeFile(join(folder, 'key', 'litter'), '');
    await writeFile(join(folder, 'work', 'etcd'), 'program');
    await install(join(folder, 'work', 'etcd'), target);
    expect(await readFile(target, 'utf8')).toBe('program');
    expect((await stat(target)).mode & 0o777).toBe(0o755);
    expect(await readdir(join(folder, 'key'))).toEqual(['etcd']);
    await expect(access(join(folder, 'work', 'etcd'))).rejects.toThrow();
  });
});
