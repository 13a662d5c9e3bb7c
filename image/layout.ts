import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode } from '../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../common/files.ts';
import { cacheDir } from '../common/paths.ts';

const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md */
export const descriptorSchema = z.object({
  mediaType: z.string(),
  digest: digestSchema,
  size: z.number(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Descriptor = z.infer<typeof descriptorSchema>;

const manifestSchema = z.object({ config: descriptorSchema, layers: z.array(descriptorSchema) });
const indexSchema = z.object({ manifests: z.array(descriptorSchema) });

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  zstdLayer: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;

/** The content of the file `oci-layout`, which marks an image layout. */
export const layoutMarker = JSON.stringify({ imageLayoutVersion: '1.0.0' });

/** The content of `index.json`. */
export const indexOf = (manifests: readonly Descriptor[]): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });

/** Where built images lie: one OCI image layout for all of them, so that they share their layers. */
export const imagesDir = (): string => join(cacheDir(), 'images');

export const digestOf = (content: string | Uint8Array): string =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;

export const descriptorOf = (mediaType: string, content: string | Uint8Array): Descriptor => ({
  mediaType,
  digest: digestOf(content),
  size: Buffer.byteLength(content),
});

/** The path of a blob inside a layout. */
export const blobName = (digest: string): string => join('blobs', ...digest.split(':'));

const parseJson = <T>(schema: z.ZodType<T>, text: string | undefined): T | undefined => {
  try {
    return schema.safeParse(JSON.parse(text ?? 'null')).data;
  } catch {
    return undefined;
  }
};

/** A JSON file of this shape; undefined where it is missing, cut or of another shape: it is then made again. */
export const readJson = async <T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> =>
  parseJson(schema, await readFileIfThere(path));

/** Whether a blob is there at full length. Its digest is compared when it is sent to a node: hashing costs more. */
export const hasBlob = async (layoutDir: string, { digest, size }: Descriptor): Promise<boolean> => {
  try {
    return (await stat(join(layoutDir, blobName(digest)))).size === size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
};

/** Writes a blob where it is not there yet. */
export const writeBlob = async (
  layoutDir: string,
  mediaType: string,
  content: string | Uint8Array,
): Promise<Descriptor> => {
  const descriptor = descriptorOf(mediaType, content);
  if (!(await hasBlob(layoutDir, descriptor))) {
    await writeFileWhole(join(layoutDir, blobName(descriptor.digest)), content);
  }
  return descriptor;
};

/** The manifests of all images of a layout, newest first; none where there is no layout yet or its index is damaged. */
export const readIndex = async (layoutDir: string): Promise<readonly Descriptor[]> =>
  (await readJson(join(layoutDir, 'index.json'), indexSchema))?.manifests ?? [];

export const writeIndex = async (layoutDir: string, manifests: readonly Descriptor[]): Promise<void> => {
  await writeFileWhole(join(layoutDir, 'oci-layout'), layoutMarker);
  await writeFileWhole(join(layoutDir, 'index.json'), indexOf(manifests));
};

/** An image's manifest, config and layers, or undefined unless all of them are there. */
export const imageBlobs = async (
  layoutDir: string,
  manifest: Descriptor,
): Promise<readonly Descriptor[] | undefined> => {
  const content = await readJson(join(layoutDir, blobName(manifest.digest)), manifestSchema);
  if (content === undefined) return undefined;
  const blobs = [manifest, content.config, ...content.layers];
  const present = await Promise.all(blobs.map((blob) => hasBlob(layoutDir, blob)));
  return present.every(Boolean) ? blobs : undefined;
};

/** Removes every blob that no image uses, and what a build that was killed left of one. */
export const removeOtherBlobs = async (layoutDir: string, used: ReadonlySet<string>): Promise<void> => {
  const folder = join(layoutDir, 'blobs', 'sha256');
  const unused = (await readdir(folder)).filter((name) => !used.has(`sha256:${name}`));
  await Promise.all(unused.map((name) => rm(join(folder, name), { force: true })));
};
