import { chmod, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openVersionMemory } from './versionMemory.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-memory-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const writeTool = async (version: string): Promise<string> => {
  const path = join(folder, 'tool');
  await writeFile(path, `#!/bin/sh\necho asked >> ${folder}/log\necho ${version} "$1"\n`);
  await chmod(path, 0o755);
  return path;
};
const timesAsked = async () => (await readFile(join(folder, 'log'), 'utf8')).split('\n').length - 1;
const file = () => join(folder, 'memory.json');

test('a file is asked once, until it or the question changes', async () => {
  const tool = await writeTool('1.0.0');
  for (const _run of [1, 2]) {
    const memory = await openVersionMemory(file(), process.env);
    expect(await memory.ask(tool, ['--version'])).toBe('1.0.0 --version\n');
    await memory.save();
  }
  expect(await timesAsked()).toBe(1);

  const memory = await openVersionMemory(file(), process.env);
  expect(await memory.ask(tool, ['-v'])).toBe('1.0.0 -v\n');
  await writeTool('2.0.0');
  await utimes(tool, 1, 1);
  expect(await memory.ask(tool, ['-v'])).toBe('2.0.0 -v\n');
  expect(await timesAsked()).toBe(3);
});

test('a damaged memory is forgotten', async () => {
  const tool = await writeTool('1.0.0');
  for (const damaged of ['{"', '[1]', `{"${tool}": {"mtimeMs": 1}}`]) {
    await writeFile(file(), damaged);
    expect(await (await openVersionMemory(file(), process.env)).ask(tool, ['v'])).toBe('1.0.0 v\n');
  }
});

test('what cannot be run gives no answer', async () => {
  const path = join(folder, 'text');
  await writeFile(path, 'no program');
  expect(await (await openVersionMemory(file(), process.env)).ask(path, ['v'])).toBeUndefined();
});
