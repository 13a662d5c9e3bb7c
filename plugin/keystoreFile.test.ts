import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../common/failure.ts';
import { openKeystore, rememberVersion } from './keystoreFile.ts';

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

test('the first start makes a seed, for its owner only; the next one finds it', async () => {
  const made = await openKeystore(directory);
  expect(made).toEqual({ seed: expect.any(Buffer), versions: new Map() });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(await openKeystore(directory)).toEqual(made);
});

test('many that start at once end up with one seed', async () => {
  const opened = await Promise.all(Array.from({ length: 16 }, () => openKeystore(directory)));
  const [first] = opened;
  for (const keystore of opened) expect(keystore).toEqual(first);
});

describe('after kill -9 while the file was made', () => {
  test.each([
    ['before the first byte', ''],
    ['in the middle', '{"seed":"AAAA'],
  ])('%s: what is left over is not taken for a keystore', async (_name, part) => {
    await openKeystore(directory);
    await rm(file);
    await writeFile(join(directory, 'left-keystore.json.12345678.new.abcd.tmp'), part, { mode: 0o600 });
    expect((await openKeystore(directory)).seed).toHaveLength(32);
  });
});

describe('a file that cannot be used is refused and kept', () => {
  const cases: readonly (readonly [string, (text: string) => Promise<void>, string])[] = [
    ['empty', () => writeFile(file, ''), 'it is empty'],
    ['cut', (text) => writeFile(file, text.slice(0, 40)), 'cut short'],
    ['edited', (text) => writeFile(file, text.replace('"seed":"', '"seed":"A')), 'its seed'],
    ['of an earlier plugin', () => writeFile(file, '{"kind":"understudy-kms-keystore","keks":[]}'), 'earlier plugin'],
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

describe('rememberVersion', () => {
  test('keeps the highest of each key, for its owner only', async () => {
    const { seed } = await openKeystore(directory);
    expect(await rememberVersion(directory, seed, 1, 3)).toBe(3);
    expect(await rememberVersion(directory, seed, 2, 2)).toBe(2);
    expect(await rememberVersion(directory, seed, 1, 2)).toBe(3);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await openKeystore(directory)).toEqual({
      seed,
      versions: new Map([
        [1, 3],
        [2, 2],
      ]),
    });
  });

  test('of plugins that note versions at once, none is forgotten', async () => {
    const { seed } = await openKeystore(directory);
    const numbers = Array.from({ length: 8 }, (_, index) => index + 1);
    await Promise.all(numbers.map((number) => rememberVersion(directory, seed, number, number + 1)));
    expect((await openKeystore(directory)).versions).toEqual(new Map(numbers.map((number) => [number, number + 1])));
  });

  test.each<readonly [string, () => Promise<void>, string]>([
    ['gone', () => rm(file), 'it was removed'],
    [
      'that of another seed',
      () => writeFile(file, `{"seed":"${Buffer.alloc(32).toString('base64')}","versions":{}}`),
      'replaced by another',
    ],
    ['cut', () => writeFile(file, '{"seed":'), 'cut short'],
    ['open to others', () => chmod(file, 0o644), 'others than its owner'],
  ])('leaves a keystore that is %s as it is', async (_name, spoil, reason) => {
    const { seed } = await openKeystore(directory);
    await spoil();
    const before = await readFile(file).catch(() => undefined);
    await expect(rememberVersion(directory, seed, 1, 2)).rejects.toThrow(reason);
    await expect(rememberVersion(directory, seed, 1, 2)).rejects.toThrow(Failure);
    expect(await readFile(file).catch(() => undefined)).toEqual(before);
  });
});
