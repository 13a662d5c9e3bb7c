import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Progress } from '../common/progress.ts';
import { ensureInotify } from './inotify.ts';

let dir = '';
const notes: string[] = [];
const progress: Progress = { note: (text) => void notes.push(text), phase: (_name, work) => work() };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'us-inotify-'));
  notes.length = 0;
});
afterEach(() => rm(dir, { recursive: true }));

test('a low limit is raised, and that is told', async () => {
  const path = join(dir, 'max_user_instances');
  await writeFile(path, '128\n');
  await ensureInotify(progress, path);
  expect(await readFile(path, 'utf8')).toBe('8192');
  expect(notes).toEqual(['raised fs.inotify.max_user_instances from 128 to 8192, for many kubelets']);
});

test('a high one is left alone', async () => {
  const path = join(dir, 'max_user_instances');
  await writeFile(path, '65536\n');
  await ensureInotify(progress, path);
  expect(await readFile(path, 'utf8')).toBe('65536\n');
  expect(notes).toEqual([]);
});
