import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { manifestsDir } from '../../common/apiServerPods.ts';
import { exec } from '../../common/exec.ts';
import { renderFollow } from './addresses.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'manifests-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const follow = (address: string): Promise<string> =>
  exec('sh', ['-c', renderFollow(address).replace(manifestsDir, dir)]);

const manifest = (address: string): string =>
  `    - --advertise-address=${address}\n    - --bind-address=${address}\n    host: ${address}\n    other: 1${address}\n`;

test('the second kube-apiserver follows the address of its node wherever that stands, and nothing else does', async () => {
  const path = join(dir, 'kube-apiserver-b.yaml');
  await writeFile(path, manifest('172.18.0.2'));
  await follow('172.18.0.5');
  expect(await readFile(path, 'utf8')).toBe(manifest('172.18.0.5').replace('other: 1172.18.0.5', 'other: 1172.18.0.2'));
  expect(await readdir(dir)).toEqual(['kube-apiserver-b.yaml']);
});

test('a node without it, or with its address, is left alone', async () => {
  await follow('172.18.0.5');
  expect(await readdir(dir)).toEqual([]);
  await writeFile(join(dir, 'kube-apiserver-b.yaml'), manifest('172.18.0.5'));
  await follow('172.18.0.5');
  expect(await readFile(join(dir, 'kube-apiserver-b.yaml'), 'utf8')).toBe(manifest('172.18.0.5'));
});
