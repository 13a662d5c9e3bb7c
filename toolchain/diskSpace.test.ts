import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fullDiskFailure, isFullDisk, places, saysFullDisk } from './diskSpace.ts';

test.each([
  ['write $WORK/b001/_pkg_.a: no space left on device', true],
  ['copying /tmp/x: write /root/.cache/go-build/a: disk quota exceeded', true],
  ['undefined: space', false],
])('%j tells of a full disk: %s', (output, full) => {
  expect(saysFullDisk(output)).toBe(full);
});

test('system errors of a full disk', () => {
  expect(isFullDisk(Object.assign(new Error('write'), { code: 'ENOSPC' }))).toBe(true);
  expect(isFullDisk(Object.assign(new Error('write'), { code: 'EACCES' }))).toBe(false);
});

test('the failure names each folder with what is free and needed, and how to move it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-disk-'));
  try {
    const folders = places(join(folder, 'not', 'yet'), { cache: '/', modules: folder });
    const { message } = await fullDiskFailure('build etcd', folders);
    expect(message).toMatch(/could not build etcd: no space left on device/);
    expect(message).toMatch(new RegExp(`${folder}/not/yet has [\\d.]+ GB free of the 3.0 GB .*UNDERSTUDY_CACHE`));
    expect(message).toMatch(/GOCACHE/);
    expect(message).toMatch(/export UNDERSTUDY_CACHE=… or GOCACHE=… or GOMODCACHE=…/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
