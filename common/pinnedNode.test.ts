import { cp, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const project = join(import.meta.dirname, '..');
const program = `node_modules/node-linux-${process.arch}/bin/node`;

let checkout: string;

beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'us-pinned-'));
  await cp(join(project, 'common', 'pinnedNode.js'), join(checkout, 'common', 'pinnedNode.js'));
});

afterEach(() => rm(checkout, { recursive: true, force: true }));

const requirePinnedNode = async (): Promise<string> => {
  const module: { requirePinnedNode(): string } = await import(join(checkout, 'common', 'pinnedNode.js'));
  return module.requirePinnedNode();
};

it('is the path that a process of it sees as its own, also where node_modules is a symbolic link', async () => {
  await symlink(join(project, 'node_modules'), join(checkout, 'node_modules'));
  expect(await requirePinnedNode()).toBe(await realpath(join(project, program)));
});

it('says what to do where npm did not install it', async () => {
  await expect(requirePinnedNode()).rejects.toThrow(
    `no ${join(checkout, program)}\n  next: run 'npm ci' in ${checkout}`,
  );
});
