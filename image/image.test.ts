import { expect, test } from 'vitest';
import { imageDocuments, keepNewest, referenceOf } from './image.ts';
import type { Layer } from './layer.ts';
import { digestOf, mediaTypes } from './layout.ts';

const layer = (content: string): Layer => ({
  blob: { mediaType: mediaTypes.zstdLayer, digest: digestOf(content), size: content.length },
  diffId: digestOf(`${content} unpacked`),
});
const settings = { name: 'understudy.local/kms-plugin', entrypoint: ['/pause'], architecture: 'amd64' } as const;

test('config, manifest and index entry name each other by digest', () => {
  const base = layer('base');
  const { config, manifest, descriptor, reference } = imageDocuments(settings, [base]);
  expect(JSON.parse(config)).toEqual({
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: '65532:65532',
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
      Entrypoint: ['/pause'],
      WorkingDir: '/',
    },
    rootfs: { type: 'layers', diff_ids: [base.diffId] },
  });
  expect(JSON.parse(manifest)).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
    layers: [base.blob],
  });
  expect(descriptor).toEqual({
    mediaType: mediaTypes.manifest,
    digest: digestOf(manifest),
    size: manifest.length,
    annotations: { 'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': reference },
  });
  expect(reference).toBe(`understudy.local/kms-plugin:${descriptor.digest.slice(7, 19)}`);
});

test('another layer or entry point gives another reference, the same the same', () => {
  const { reference } = imageDocuments(settings, [layer('a')]);
  expect(imageDocuments(settings, [layer('a')]).reference).toBe(reference);
  expect(imageDocuments(settings, [layer('b')]).reference).not.toBe(reference);
  expect(imageDocuments({ ...settings, entrypoint: ['/other'] }, [layer('a')]).reference).not.toBe(reference);
});

test('the newest of each name are kept, also for a name with a port', () => {
  const of = (name: string, content: string) => imageDocuments({ ...settings, name }, [layer(content)]).descriptor;
  const [a1, a2, a3, b1] = [of('r:5000/a', '1'), of('r:5000/a', '2'), of('r:5000/a', '3'), of('r:5000/b', '1')];
  expect(keepNewest([a1, a2, b1, a3], 2).map(referenceOf)).toEqual([a1, a2, b1].map(referenceOf));
});
