import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { loadKeystore, seedKeystore } from './keystore.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keystore-'));
  return () => rm(dir, { recursive: true });
});

const nodeFile = (node: string): string => join(dir, node, 'var/lib/kms-plugin/keystore.json');

it('is 32 random bytes and no versions, for root only, and stays', async () => {
  const keystore = await loadKeystore(dir);
  const { seed, ...rest } = JSON.parse(keystore);
  expect(Buffer.from(seed, 'base64')).toHaveLength(32);
  expect(rest).toEqual({ versions: {} });
  expect((await stat(join(dir, 'kms/keystore.json'))).mode & 0o777).toBe(0o600);
  expect(await loadKeystore(dir)).toBe(keystore);
  expect(await loadKeystore(join(dir, 'of-another-cluster'))).not.toBe(keystore);
});

it('is the same on all nodes, in a folder and a file for root only', async () => {
  const keystore = await loadKeystore(dir);
  await Promise.all(['one', 'two'].map((node) => seedKeystore(join(dir, node), keystore)));
  expect(await readFile(nodeFile('one'), 'utf8')).toBe(keystore);
  expect(await readFile(nodeFile('two'), 'utf8')).toBe(keystore);
  expect((await stat(nodeFile('one'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(dir, 'one/var/lib/kms-plugin'))).mode & 0o777).toBe(0o700);
});

it('of a node that has one is left alone', async () => {
  await seedKeystore(join(dir, 'one'), 'first');
  await writeFile(nodeFile('one'), 'what the plugin made of it');
  await seedKeystore(join(dir, 'one'), 'second');
  expect(await readFile(nodeFile('one'), 'utf8')).toBe('what the plugin made of it');
});
