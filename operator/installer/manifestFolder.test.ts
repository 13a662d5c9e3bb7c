import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ManifestFolder, manifestFolder } from './manifestFolder.ts';

let dir: string;
let folder: ManifestFolder;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'manifests-'));
  folder = manifestFolder(dir);
});

afterEach(() => rm(dir, { recursive: true, force: true }));

it('shows a manifest under a name that the kubelet reads, and leaves nothing else that it would', async () => {
  await folder.show('kube-apiserver-b', 'b1');
  expect(await readdir(dir)).toEqual(['kube-apiserver-b.yaml']);
  expect(await readFile(join(dir, 'kube-apiserver-b.yaml'), 'utf8')).toBe('b1');
  expect(await folder.shown()).toEqual(['kube-apiserver-b']);
});

it('keeps what it hides where the kubelet does not look, and hides twice without harm', async () => {
  await folder.show('kube-apiserver', 'a1');
  await folder.hide('kube-apiserver');
  await folder.hide('kube-apiserver');
  expect(await folder.shown()).toEqual([]);
  expect((await readdir(dir)).every((name) => name.startsWith('.'))).toBe(true);
  expect(await folder.read('kube-apiserver')).toBe('a1');
});

it('reads the one that is shown before the one that was hidden', async () => {
  await folder.show('kube-apiserver', 'a1');
  await folder.hide('kube-apiserver');
  await folder.show('kube-apiserver', 'a2');
  expect(await folder.read('kube-apiserver')).toBe('a2');
  expect(await folder.read('kube-apiserver-b')).toBeUndefined();
});
