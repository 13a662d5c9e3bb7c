import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exec } from '../../common/exec.ts';
import { projectDir } from '../../common/paths.ts';
import { silentProgress } from '../../common/progress.ts';
import { type BuiltImage, buildBinaryImage, buildServiceImage } from '../../image/build.ts';
import { referenceOf } from '../../image/image.ts';
import { digestOf, readIndex } from '../../image/layout.ts';
import { imageArchive } from '../../image/load.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-image-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const layoutDir = (name = 'images'): string => join(folder, name);

/** Builds the image of a service that consists of this source. */
const build = async (source: string, name = 'service', layout = layoutDir()): Promise<BuiltImage> => {
  const entryPoint = join(folder, `${name}.ts`);
  await writeFile(entryPoint, source);
  return buildServiceImage({ name: `understudy.local/${name}`, entryPoint }, silentProgress, layout);
};

const archiveDigest = async (image: BuiltImage): Promise<string> => digestOf(await imageArchive(image, new Set()));

const blobs = async (): Promise<readonly string[]> => (await readdir(join(layoutDir(), 'blobs', 'sha256'))).sort();

/** Path, inode, size and change time of every file of the layout but the lock. */
const fingerprint = async (): Promise<readonly string[]> => {
  const entries = await readdir(layoutDir(), { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name !== 'lock')
    .map((e) => join(e.parentPath, e.name));
  return Promise.all(
    paths.sort().map(async (path) => {
      const { ino, size, ctimeMs } = await stat(path);
      return `${path} ${ino} ${size} ${ctimeMs}`;
    }),
  );
};

/** The largest blob: the layer with Node. */
const baseLayer = async (): Promise<string> => {
  const paths = (await blobs()).map((name) => join(layoutDir(), 'blobs', 'sha256', name));
  const sizes = await Promise.all(paths.map(async (path) => ({ path, size: (await stat(path)).size })));
  return sizes.reduce((a, b) => (a.size > b.size ? a : b)).path;
};

test('the same source gives the same digest and the same archive in another cache, a changed one another digest', async () => {
  const one = await build('console.log(1);');
  const other = await build('console.log(1);', 'service', layoutDir('other'));
  expect({ ...other, layoutDir: one.layoutDir }).toEqual(one);
  expect(one.reference).toBe(`understudy.local/service:${one.digest.slice(7, 19)}`);
  expect(await archiveDigest(other)).toBe(await archiveDigest(one));

  const changed = await build('console.log(2);');
  expect(changed.digest).not.toBe(one.digest);
  expect(changed.reference).not.toBe(one.reference);
});

test('an unchanged service writes nothing and takes less than 300 ms', async () => {
  const first = await build('console.log(1);');
  const before = await fingerprint();
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    expect(await build('console.log(1);')).toEqual(first);
    times.push(performance.now() - start);
  }
  expect(Math.min(...times)).toBeLessThan(300);
  expect(await fingerprint()).toEqual(before);
});

test('services share the layer with Node, also when two builds run at once', async () => {
  const [a, b] = await Promise.all([build('console.log(1);', 'a'), build('console.log(2);', 'b')]);
  expect((await readIndex(layoutDir())).map(referenceOf).sort()).toEqual([a.reference, b.reference].sort());
  // One layer with Node; of each service a layer, a config and a manifest.
  expect(await blobs()).toHaveLength(7);
  for (const image of [a, b]) await archiveDigest(image);
});

test('a layer or an index that was cut short is made again', async () => {
  const image = await build('console.log(1);');
  const before = await archiveDigest(image);
  await truncate(await baseLayer(), 1_000);
  expect(await build('console.log(1);')).toEqual(image);
  expect(await archiveDigest(image)).toBe(before);

  const index = join(layoutDir(), 'index.json');
  await truncate(index, 20);
  expect(await build('console.log(1);')).toEqual(image);
  expect(await archiveDigest(image)).toBe(before);
  expect(JSON.parse(await readFile(index, 'utf8')).manifests).toHaveLength(1);
});

test('old images of a name go, with what a killed build left; those of other names stay', async () => {
  const other = await build('console.log(0);', 'other');
  const images = [];
  await writeFile(join(layoutDir(), 'blobs', 'sha256', 'half.tmp'), 'half');
  for (let i = 0; i < 6; i++) images.push(await build(`console.log(${i});`));
  const listed = (await readIndex(layoutDir())).map(referenceOf);
  expect(listed).toEqual([...images.slice(2).reverse(), other].map(({ reference }) => reference));
  expect(await blobs()).toHaveLength(1 + 3 * 5);
  // Five layers of services and the one with Node.
  expect(await readdir(join(layoutDir(), 'layers'))).toHaveLength(6);
});

test('a source with an error leaves what was built before', async () => {
  const image = await build('console.log(1);');
  const before = await fingerprint();
  await expect(build('console.log(;')).rejects.toThrow(/could not bundle .*service\.ts: .*Unexpected ";"/);
  expect(await fingerprint()).toEqual(before);
  await archiveDigest(image);
});

test('a binary that is none is refused', async () => {
  const binaryPath = join(folder, 'pause');
  await writeFile(binaryPath, '#!/bin/sh\n');
  await expect(buildBinaryImage({ name: 'understudy.local/pause', binaryPath }, silentProgress)).rejects.toThrow(
    'it is not an ELF executable',
  );
});

test('a full disk is told with what to do, and no part of a file is left', async () => {
  const entryPoint = join(folder, 'service.ts');
  await writeFile(entryPoint, 'console.log(1);');
  const script = `
    import { readdir } from 'node:fs/promises';
    import { silentProgress } from '${projectDir}/common/progress.ts';
    import { buildServiceImage } from '${projectDir}/image/build.ts';
    const [, layoutDir, entryPoint] = process.argv;
    const service = { name: 'understudy.local/service', entryPoint };
    const message = await buildServiceImage(service, silentProgress, layoutDir).catch((error) => error.message);
    console.log(JSON.stringify({ message, left: await readdir(layoutDir + '/blobs/sha256') }));`;
  // The small disk vanishes with the namespace.
  const onSmallDisk =
    'mkdir -p "$1" && mount -t tmpfs -o size=8m tmpfs "$1" && exec "$0" --input-type=module --eval "$3" "$1" "$2"';
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', onSmallDisk];
  const said = await exec('unshare', [...args, process.execPath, layoutDir(), entryPoint, script]);
  const { message, left } = JSON.parse(said);
  expect(message).toMatch(
    /could not store image understudy\.local\/service in .*: ENOSPC.*\n {2}next: free 200 MB there/,
  );
  expect(left).toEqual([]);
});
