import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isArchive, unpack } from './unpack.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-unpack-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const writeArchive = async (): Promise<string> => {
  const archive = pack();
  archive.entry({ name: 'etcd-v3/', type: 'directory' });
  archive.entry({ name: 'etcd-v3/README.md' }, 'read me');
  archive.entry({ name: './etcd-v3/etcd' }, 'program');
  archive.entry({ name: '../../escape/etcdctl' }, 'other');
  archive.entry({ name: 'link/etcdutl', type: 'symlink', linkname: '/etc/passwd' });
  archive.finalize();
  const path = join(folder, 'a.tar.gz');
  await pipeline(archive, createGzip(), createWriteStream(path));
  return path;
};

test('takes the wanted files out of any folder, flat, and nothing else', async () => {
  const path = await writeArchive();
  expect(await unpack(path, ['etcd', 'etcdctl', 'etcdutl', 'none'], folder)).toEqual(new Set(['etcd', 'etcdctl']));
  expect((await readdir(folder)).sort()).toEqual(['a.tar.gz', 'etcd', 'etcdctl']);
  expect(await readFile(join(folder, 'etcd'), 'utf8')).toBe('program');
});

test('an archive cut short is an error', async () => {
  const path = await writeArchive();
  await truncate(path, 60);
  await expect(unpack(path, ['etcd'], folder)).rejects.toThrow(/unexpected end/);
});

test.each([
  ['etcd-v3.7.3-linux-amd64.tar.gz', true],
  ['coredns_1.14.7_linux_amd64.tgz', true],
  ['kubectl', false],
  ['runc.amd64', false],
])('%s is an archive: %s', (file, is) => {
  expect(isArchive(file)).toBe(is);
});
