import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentProgress } from '../common/progress.ts';
import { findPlugins, worthAnAttempt } from './plugins.ts';
import type { Toolchain } from './toolchain.ts';

const hour = 3600_000;

test.each([
  ['never tried', undefined, true],
  ['an hour ago', 100 * hour - hour, false],
  ['a day ago', 100 * hour - 24 * hour, true],
  ['in the future, by a clock that was wrong', 100 * hour + 1, true],
])('a download that failed %s is worth an attempt: %s', (_when, failedAt, worth) => {
  expect(worthAnAttempt(failedAt, 100 * hour)).toBe(worth);
});

describe('findPlugins', () => {
  const name = 'pulumi-resource-test';
  const group = { name: 'resource-test', version: '1.2.3', programs: [{ name }] } as const;
  let folder = '';
  let downloads = 0;
  let now = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-plugins-'));
    downloads = 0;
    now = 1000 * hour;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const toolchain: Toolchain<typeof name> = {
    ensure: () => Promise.reject(new Error('not asked')),
    inspect: async (names) => names.map((one) => ({ name: one, version: '1.2.3', source: 'missing' })),
    tryObtain: async () => {
      downloads += 1;
      return { unavailable: 'no internet' };
    },
  };
  const find = () => {
    const env = { PATH: join(folder, 'bin'), PULUMI_HOME: join(folder, 'pulumi') };
    return findPlugins({ groups: [group], toolchain, cache: folder, env, now: () => now }, silentProgress);
  };
  const installAt = async (path: string): Promise<string> => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
    await chmod(path, 0o755);
    return path;
  };

  test('one on PATH, else one in the Pulumi home', async () => {
    const home = await installAt(join(folder, 'pulumi', 'plugins', 'resource-test-v1.2.3', name));
    expect(await find()).toEqual({ [name]: home });
    const onPath = await installAt(join(folder, 'bin', name));
    expect(await find()).toEqual({ [name]: onPath });
    expect(downloads).toBe(0);
  });

  test('one of another version in the Pulumi home does not count', async () => {
    await installAt(join(folder, 'pulumi', 'plugins', 'resource-test-v1.2.4', name));
    expect(await find()).toEqual({});
  });

  test('a failed download is tried again only after a day', async () => {
    expect(await find()).toEqual({});
    expect(await find()).toEqual({});
    expect(downloads).toBe(1);
    now += 24 * hour;
    expect(await find()).toEqual({});
    expect(downloads).toBe(2);
  });

  test('a damaged memory of attempts is forgotten', async () => {
    await writeFile(join(folder, 'failed-plugins.json'), '{"pulumi-resource-test-1.2.3": 17');
    expect(await find()).toEqual({});
    expect(downloads).toBe(1);
  });
});
