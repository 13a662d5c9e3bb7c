import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { z } from 'zod';
import { writeFileWhole } from '../common/files.ts';
import { descriptorSchema, digestOf, hasBlob, mediaTypes, readJson, writeBlob } from './layout.ts';
import { type TarEntry, tarOf } from './tar.ts';

const layerSchema = z.object({
  blob: descriptorSchema,
  /** Digest of the layer before compression: what an image's config names. */
  diffId: z.string(),
});
export type Layer = z.infer<typeof layerSchema>;

const recordsDir = (layoutDir: string): string => join(layoutDir, 'layers');

const compress = promisify(zstdCompress);

/** What decides a layer's bytes, cheaply: of a file its change time stands for the content, as in git's index. */
const inputOf = async (entry: TarEntry): Promise<unknown> => {
  if (entry.type === 'directory') return entry;
  if (entry.type === 'content') return { ...entry, content: digestOf(entry.content) };
  const { dev, ino, size, ctimeMs } = await stat(entry.hostPath);
  return { ...entry, dev, ino, size, ctimeMs };
};

/**
 * The layer of these entries: the one that an earlier build left in the layout, or else built and written.
 * Compressed by zstd: a node takes that in faster than a plain or a gzipped layer (docs/images.md has the figures).
 */
export const ensureLayer = async (layoutDir: string, entries: readonly TarEntry[]): Promise<Layer> => {
  const inputs = await Promise.all(entries.map(inputOf));
  const key = digestOf(JSON.stringify({ inputs, zstd: process.versions.zstd })).slice('sha256:'.length);
  const record = join(recordsDir(layoutDir), `${key}.json`);
  const known = await readJson(record, layerSchema);
  if (known !== undefined && (await hasBlob(layoutDir, known.blob))) return known;

  const archive = await tarOf(entries);
  const blob = await writeBlob(layoutDir, mediaTypes.zstdLayer, await compress(archive));
  const layer = { blob, diffId: digestOf(archive) };
  await writeFileWhole(record, JSON.stringify(layer));
  return layer;
};

/** Forgets every layer whose blob is not among `used`. */
export const forgetOtherLayers = async (layoutDir: string, used: ReadonlySet<string>): Promise<void> => {
  const folder = recordsDir(layoutDir);
  for (const name of await readdir(folder)) {
    const layer = await readJson(join(folder, name), layerSchema);
    if (layer === undefined || !used.has(layer.blob.digest)) await rm(join(folder, name), { force: true });
  }
};
