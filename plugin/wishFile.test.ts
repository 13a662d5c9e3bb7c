import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeFileWhole } from '../common/files.ts';
import { type WishWatch, watchWish } from './wishFile.ts';

let directory: string;
let path: string;
let told: (string | undefined)[];
let errors: unknown[];
let watch: WishWatch | undefined;

beforeEach(async () => {
  const parent = await mkdtemp(join(tmpdir(), 'wish-'));
  directory = join(parent, 'keys');
  await mkdir(directory);
  path = join(directory, 'wish.json');
  told = [];
  errors = [];
  return async () => {
    watch?.close();
    await rm(parent, { recursive: true });
  };
});

const start = async (): Promise<void> => {
  watch = await watchWish(
    directory,
    (text) => told.push(text),
    (error) => errors.push(error),
  );
};

const seen = (...texts: readonly (string | undefined)[]): Promise<void> =>
  expect.poll(() => told, { interval: 5, timeout: 4_000 }).toEqual(texts);

test('tells at once what is there', async () => {
  await writeFile(path, 'a');
  await start();
  expect(told).toEqual(['a']);
});

test('tells of a file that comes, is replaced whole or in place, and goes', async () => {
  await start();
  expect(told).toEqual([undefined]);
  await writeFileWhole(path, 'a');
  await seen(undefined, 'a');
  await writeFileWhole(path, 'b');
  await seen(undefined, 'a', 'b');
  await rm(path);
  await seen(undefined, 'a', 'b', undefined);
  expect(errors).toEqual([]);
});

test('tells each text once', async () => {
  await start();
  await writeFileWhole(path, 'a');
  await seen(undefined, 'a');
  await writeFileWhole(path, 'a');
  await writeFileWhole(join(directory, 'keystore.json'), 'x');
  await writeFileWhole(path, 'b');
  await seen(undefined, 'a', 'b');
});

test('tells the last of many', async () => {
  await start();
  for (let nth = 0; nth < 50; nth++) await writeFileWhole(path, `${nth}`);
  await expect.poll(() => told.at(-1), { interval: 5 }).toBe('49');
});

test('still sees it where the folder itself was replaced', async () => {
  await start();
  await rename(directory, `${directory}.old`);
  await mkdir(directory);
  await writeFile(path, 'a');
  await seen(undefined, 'a');
});

test('says why it cannot be read, and goes on', async () => {
  await start();
  await mkdir(path);
  await expect.poll(() => errors, { interval: 5 }).not.toEqual([]);
  await rm(path, { recursive: true });
  await writeFileWhole(path, 'a');
  await seen(undefined, 'a');
});
