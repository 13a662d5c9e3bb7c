import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../common/failure.ts';
import { openKeystore } from './keystoreFile.ts';

let directory: string;
let file: string;

beforeEach(async () => {
  const parent = await mkdtemp(join(tmpdir(), 'keystore-'));
  directory = join(parent, 'made', 'here');
  file = join(directory, 'keystore.json');
  return () => rm(parent, { recursive: true });
});

afterEach(async () => {
  if ((await stat(directory).catch(() => undefined)) !== undefined) {
    const strays = (await readdir(directory)).filter((name) => name !== 'keystore.json' && !name.startsWith('left-'));
    expect(strays).toEqual([]);
  }
});

test('the first start makes one key, for its owner only; the next one finds it', async () => {
  const made = await openKeystore(directory);
  expect(made).toHaveLength(1);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(await openKeystore(directory)).toEqual(made);
});

test('many that start at once end up with one key', async () => {
  const opened = await Promise.all(Array.from({ length: 16 }, () => openKeystore(directory)));
  const [first] = opened;
  for (const keks of opened) expect(keks).toEqual(first);
});

describe('after kill -9 while the file was made', () => {
  test.each([
    ['before the first byte', ''],
    ['in the middle', '{"kind": "under'],
  ])('%s: what is left over is not taken for a keystore', async (_name, part) => {
    await openKeystore(directory);
    await rm(file);
    await writeFile(join(directory, 'left-keystore.json.12345678.new.abcd.tmp'), part, { mode: 0o600 });
    expect(await openKeystore(directory)).toHaveLength(1);
  });
});

describe('a file that cannot be used is refused and kept', () => {
  const cases: readonly (readonly [string, (text: string) => Promise<void>, string])[] = [
    ['empty', () => writeFile(file, ''), 'it is empty'],
    ['cut', (text) => writeFile(file, text.slice(0, 100)), 'cut short'],
    ['edited', (text) => writeFile(file, text.replace('"createdAt": "2', '"createdAt": "3')), 'checksum'],
    ['readable by others', () => chmod(file, 0o640), 'others than its owner'],
  ];
  test.each(cases)('%s', async (_name, spoil, reason) => {
    await openKeystore(directory);
    await spoil(await readFile(file, 'utf8'));
    const before = await readFile(file);
    await expect(openKeystore(directory)).rejects.toThrow(Failure);
    await expect(openKeystore(directory)).rejects.toThrow(reason);
    expect(await readFile(file)).toEqual(before);
  });

  test('a directory in its place', async () => {
    await expect(openKeystore('/dev/null/x')).rejects.toThrow(Failure);
  });
});
