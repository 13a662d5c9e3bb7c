import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BuiltImage } from './build.ts';
import { imageDocuments } from './image.ts';
import { ensureLayer } from './layer.ts';
import { blobName, mediaTypes, readIndex, writeBlob, writeIndex } from './layout.ts';
import { findImage, imageArchive, isReady } from './load.ts';

let layoutDir: string;
let image: BuiltImage;
let layerDigest: string;

beforeAll(async () => {
  layoutDir = await mkdtemp(join(tmpdir(), 'understudy-layout-'));
});
afterAll(() => rm(layoutDir, { recursive: true, force: true }));

beforeEach(async () => {
  const layer = await ensureLayer(layoutDir, [
    { type: 'content', path: '/app/main.mjs', mode: 0o644, content: Buffer.from('1') },
  ]);
  layerDigest = layer.blob.digest;
  const { config, manifest, descriptor, reference } = imageDocuments(
    { name: 'understudy.local/a', entrypoint: ['/a'], architecture: 'amd64' },
    [layer],
  );
  await writeBlob(layoutDir, mediaTypes.config, config);
  await writeBlob(layoutDir, mediaTypes.manifest, manifest);
  await writeIndex(layoutDir, [descriptor]);
  image = { reference, digest: descriptor.digest, layoutDir };
});

const header = 'REF   TYPE   DIGEST   STATUS   SIZE   UNPACKED \n';
const line = (status: string, unpacked: boolean): string =>
  `${header}a:1 application/x sha256:ab ${status} 42.2 MiB/42.2 MiB ${unpacked}\n`;

test('an image is ready when the node has it complete, unpacked and of the right digest', () => {
  expect(isReady(line('complete (3/3)', true), 'sha256:ab')).toBe(true);
  expect(isReady(line('complete (3/3)', true), 'sha256:cd')).toBe(false);
  expect(isReady(line('complete (3/3)', false), 'sha256:ab')).toBe(false);
  expect(isReady(line('incomplete (2/3)', true), 'sha256:ab')).toBe(false);
  expect(isReady(header, 'sha256:ab')).toBe(false);
});

test('an image is found by its reference, and an unknown one refused', async () => {
  expect(await findImage(image.reference, layoutDir)).toEqual(image);
  await expect(findImage('understudy.local/a:000000000000', layoutDir)).rejects.toThrow(
    /could not find image understudy.local\/a:0{12}: .*does not list it\n {2}next: run 'understudy up'/,
  );
});

test('the archive leaves out what the receiver has', async () => {
  const whole = (await imageArchive(image, new Set())).toString('latin1');
  const part = (await imageArchive(image, new Set([layerDigest]))).toString('latin1');
  expect(whole).toContain(blobName(layerDigest));
  expect(part).not.toContain(blobName(layerDigest));
  for (const name of ['oci-layout', 'index.json', blobName(image.digest)]) expect(part).toContain(name);
});

test('a blob that was changed on the disk is removed, told of, and built anew', async () => {
  const path = join(layoutDir, blobName(layerDigest));
  const content = await readFile(path);
  await writeFile(path, Buffer.from(content).fill(0, 10, 11));
  await expect(imageArchive(image, new Set())).rejects.toThrow('does not match its digest');
  await expect(imageArchive(image, new Set())).rejects.toThrow('parts of it are missing');
  await ensureLayer(layoutDir, [{ type: 'content', path: '/app/main.mjs', mode: 0o644, content: Buffer.from('1') }]);
  expect(await readFile(path)).toEqual(content);
});

test.each(['', '{"manifests":[{', '{"manifests":[{"digest":7}]}'])(
  'a damaged index counts as empty: %j',
  async (text) => {
    await writeFile(join(layoutDir, 'index.json'), text);
    expect(await readIndex(layoutDir)).toEqual([]);
  },
);
