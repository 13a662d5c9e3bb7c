import { basename, join } from 'node:path';
import { Failure, hasCode, messageOf } from '../common/failure.ts';
import { withLock } from '../common/lock.ts';
import type { Progress } from '../common/progress.ts';
import { bundleService } from './bundle.ts';
import { type ImageSettings, imageDocuments, keepNewest, referenceOf } from './image.ts';
import { ensureLayer, forgetOtherLayers } from './layer.ts';
import {
  type Descriptor,
  imageBlobs,
  imagesDir,
  mediaTypes,
  readIndex,
  removeOtherBlobs,
  writeBlob,
  writeIndex,
} from './layout.ts';
import { pinnedNode, programEntries } from './rootfs.ts';
import type { TarEntry } from './tar.ts';

/** An image in a layout on this machine's disk. */
export interface BuiltImage {
  /** `<name>:<first 12 hex digits of the digest>`: what pods name; another content has another one. */
  readonly reference: string;
  /** Digest of the manifest, as containerd shows it. */
  readonly digest: string;
  /** The OCI image layout that holds it. */
  readonly layoutDir: string;
}

export interface ServiceImage {
  /** Repository without tag: 'understudy.local/kms-plugin'. */
  readonly name: string;
  /** Absolute path of the service's main TypeScript file. */
  readonly entryPoint: string;
  /** Flags of Node; {@link serviceFlags} where left out. */
  readonly nodeFlags?: readonly string[];
}

export interface BinaryImage {
  readonly name: string;
  /** Absolute path of an executable; it becomes `/<its file name>`. */
  readonly binaryPath: string;
}

/** Flags of V8 for a small service on every node: 8 MB less under load, and no slower (docs/plugin.md). */
export const serviceFlags = ['--no-concurrent-recompilation', '--max-semi-space-size=1'];

/** For a service that does next to nothing most of the time: without a compiler it takes another 6 MB less. */
export const restingServiceFlags = ['--lite-mode', '--max-semi-space-size=1'];

/** How many images of a name stay in the layout: another checkout or an older branch may still run one. */
const keptPerName = 4;

const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

const sameOrder = (a: readonly Descriptor[], b: readonly Descriptor[]): boolean =>
  a.length === b.length && a.every(({ digest }, i) => digest === b[i]?.digest);

/** Puts an image first in the index, drops old and damaged ones, and the blobs that only those used. */
const enlist = async (layoutDir: string, image: Descriptor): Promise<void> => {
  const listed = await readIndex(layoutDir);
  const others = listed.filter((manifest) => referenceOf(manifest) !== referenceOf(image));
  const kept = keepNewest([image, ...others], keptPerName);
  const blobs = await Promise.all(kept.map((manifest) => imageBlobs(layoutDir, manifest)));
  const whole = kept.filter((_, i) => blobs[i] !== undefined);
  if (sameOrder(whole, listed)) return;
  await writeIndex(layoutDir, whole);
  const used = new Set(blobs.flatMap((of) => of?.map(({ digest }) => digest) ?? []));
  await removeOtherBlobs(layoutDir, used);
  await forgetOtherLayers(layoutDir, used);
};

const storeFailure = (name: string, layoutDir: string, cause: unknown): unknown => {
  if (!(cause instanceof Error && 'syscall' in cause)) return cause;
  const full = hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT');
  return new Failure({
    tried: `store image ${name} in ${layoutDir}`,
    got: messageOf(cause),
    next: full
      ? `free 200 MB there ('df -h ${layoutDir}'), or let UNDERSTUDY_CACHE name a folder on another disk`
      : 'check that folder and who may write to it',
    cause,
  });
};

const store = async (
  settings: ImageSettings,
  layers: readonly (readonly TarEntry[])[],
  progress: Progress,
  layoutDir: string,
): Promise<BuiltImage> => {
  const write = async (): Promise<BuiltImage> => {
    const stored = [];
    for (const entries of layers) stored.push(await ensureLayer(layoutDir, entries));
    const { config, manifest, descriptor, reference } = imageDocuments(settings, stored);
    await writeBlob(layoutDir, mediaTypes.config, config);
    await writeBlob(layoutDir, mediaTypes.manifest, manifest);
    await enlist(layoutDir, descriptor);
    return { reference, digest: descriptor.digest, layoutDir };
  };
  const onWait = (): void => progress.note(`image ${settings.name} waits for another build to end`);
  try {
    return await withLock(join(layoutDir, 'lock'), write, onWait);
  } catch (error) {
    throw storeFailure(settings.name, layoutDir, error);
  }
};

const nodePath = '/usr/bin/node';

/**
 * An image of the pinned Node and one service bundled to /app/main.mjs. What an earlier build left is used again; the
 * layer with Node is shared by all services.
 * @param layoutDir where to; the shared cache unless told.
 * @throws Failure with esbuild's message, or with what the disk said.
 */
export const buildServiceImage = (
  { name, entryPoint, nodeFlags = serviceFlags }: ServiceImage,
  progress: Progress,
  layoutDir = imagesDir(),
): Promise<BuiltImage> =>
  progress.phase(`image ${name}`, async () => {
    const main = '/app/main.mjs';
    const content = await bundleService(entryPoint);
    const layers: readonly (readonly TarEntry[])[] = [
      await programEntries(pinnedNode(), nodePath),
      [{ type: 'content', path: main, mode: 0o644, content }],
    ];
    return store({ name, architecture, entrypoint: [nodePath, ...nodeFlags, main] }, layers, progress, layoutDir);
  });

/**
 * An image of one executable and its shared libraries, if any: for a pod sandbox ('pause').
 * @throws Failure where it is no executable, or with what the disk said.
 */
export const buildBinaryImage = (
  { name, binaryPath }: BinaryImage,
  progress: Progress,
  layoutDir = imagesDir(),
): Promise<BuiltImage> =>
  progress.phase(`image ${name}`, async () => {
    const path = `/${basename(binaryPath)}`;
    const layers = [await programEntries(binaryPath, path)];
    return store({ name, architecture, entrypoint: [path] }, layers, progress, layoutDir);
  });

export interface ProgramImage extends BinaryImage {
  /** The program's absolute path in the image. */
  readonly path: string;
  /** What else is in there. */
  readonly more?: readonly TarEntry[];
  /** `<uid>:<gid>`, as {@link ImageSettings} has it. */
  readonly user?: string;
}

/**
 * Like {@link buildBinaryImage}, for a program that has to be at a place of its own or needs other files.
 * @throws Failure where it is no executable, or with what the disk said.
 */
export const buildProgramImage = (
  { name, binaryPath, path, more = [], user }: ProgramImage,
  progress: Progress,
  layoutDir = imagesDir(),
): Promise<BuiltImage> =>
  progress.phase(`image ${name}`, async () => {
    const layers = [[...(await programEntries(binaryPath, path)), ...more]];
    return store({ name, architecture, entrypoint: [path], ...(user && { user }) }, layers, progress, layoutDir);
  });

/**
 * An image of the layer that all services' images have in common: who has it is sent only their own.
 * @throws Failure with what the disk said.
 */
export const buildNodeLayerImage = (progress: Progress, layoutDir = imagesDir()): Promise<BuiltImage> =>
  buildProgramImage({ name: 'understudy.local/node', binaryPath: pinnedNode(), path: nodePath }, progress, layoutDir);
