import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { UsageFailure } from '../common/failure.ts';
import { checkSharedDir, clearSharedDir, writePluginFiles } from './sharedDir.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shared-'));
  vi.stubEnv('SHARED_DIR', dir);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

it('the files tell where the plugin is, each as the value and a line end', async () => {
  await writePluginFiles();
  const files = await Promise.all(
    (await readdir(dir)).map(async (name) => [name, await readFile(join(dir, name), 'utf8')] as const),
  );
  expect(Object.fromEntries(files)).toEqual({
    'kms-plugin-socket-path': '/var/run/kmsplugin/socket.sock\n',
    'kms-plugin-namespace': 'openshift-kms-plugin\n',
    'kms-plugin-version': 'v2\n',
  });
});

it("clearing takes back our files and leaves others', as often as it is asked", async () => {
  await writePluginFiles();
  await writeFile(join(dir, 'vault-kms-plugin-image'), 'x');
  await writeFile(join(dir, 'kubeconfig'), 'x');
  expect(await clearSharedDir()).toEqual([]);
  expect(await clearSharedDir()).toEqual([]);
  expect(await readdir(dir)).toEqual(['kubeconfig']);
});

it('clearing names what it cannot remove, and goes on', async () => {
  await writePluginFiles();
  await rm(join(dir, 'kms-plugin-namespace'));
  await mkdir(join(dir, 'kms-plugin-namespace', 'inside'), { recursive: true });
  expect(await clearSharedDir()).toEqual([expect.stringContaining(`file ${join(dir, 'kms-plugin-namespace')} (`)]);
  expect(await readdir(dir)).toEqual(['kms-plugin-namespace']);
});

it('a folder that takes files passes and stays empty; without SHARED_DIR there is nothing to check', async () => {
  await checkSharedDir();
  expect(await readdir(dir)).toEqual([]);
  vi.stubEnv('SHARED_DIR', '');
  await checkSharedDir();
  await writePluginFiles();
  expect(await clearSharedDir()).toEqual([]);
});

it.each([
  ['a folder that is not there', () => join(dir, 'nothing'), 'it is no folder'],
  ['a file', () => join(dir, 'file'), 'it is no folder'],
  ['a folder that takes no files', () => '/proc', 'ENOENT'],
])('%s is refused before anything is changed, and does not keep `down` from its work', async (_, path, got) => {
  await writeFile(join(dir, 'file'), '');
  vi.stubEnv('SHARED_DIR', path());
  const error = await checkSharedDir().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageFailure);
  expect(String(error)).toContain(got);
  expect(await clearSharedDir()).toEqual([]);
});
