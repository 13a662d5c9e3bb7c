import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allOnPath, decide } from './locate.ts';

describe('decide', () => {
  const cached = '/cache/etcd/etcd';
  const right = { path: '/usr/local/bin/etcd', version: '3.7.3' };
  const old = { path: '/usr/bin/etcd', version: '3.4.23' };
  const mute = { path: '/opt/etcd', version: undefined };

  test.each([
    ['PATH before the cache', { onPath: [right], cached }, 'path', right.path],
    [
      'a later one on PATH when the first is of another version',
      { onPath: [old, mute, right], cached },
      'path',
      right.path,
    ],
    ['the cache when PATH has another version', { onPath: [old], cached }, 'cache', cached],
    ['the cache when the one on PATH tells no version', { onPath: [mute], cached }, 'cache', cached],
    ['nothing', { onPath: [old], cached: undefined }, 'missing', undefined],
  ] as const)('%s', (_what, observed, source, path) => {
    expect(decide('etcd', '3.7.3', observed)).toMatchObject({ name: 'etcd', version: '3.7.3', source });
    expect(decide('etcd', '3.7.3', observed).path).toBe(path);
  });
});

describe('allOnPath', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-path-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('executables only, in order, each folder once', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await mkdir(join(folder, name));
    await writeFile(join(folder, 'a', 'tool'), '');
    await writeFile(join(folder, 'b', 'tool'), '');
    await chmod(join(folder, 'b', 'tool'), 0o755);
    await mkdir(join(folder, 'c', 'tool'));
    await writeFile(join(folder, 'd', 'tool'), '');
    await chmod(join(folder, 'd', 'tool'), 0o755);
    const PATH = ['d', 'a', 'b', 'c', 'd', 'missing'].map((name) => join(folder, name)).join(':');
    expect(await allOnPath('tool', { PATH: `:${PATH}` })).toEqual([
      join(folder, 'd', 'tool'),
      join(folder, 'b', 'tool'),
    ]);
    expect(await allOnPath('tool', {})).toEqual([]);
  });
});
