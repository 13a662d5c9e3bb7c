import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../common/exec.ts';
import { Failure } from '../common/failure.ts';
import type { BuiltImage } from './build.ts';
import { referenceOf } from './image.ts';
import {
  blobName,
  type Descriptor,
  digestOf,
  imageBlobs,
  imagesDir,
  indexOf,
  layoutMarker,
  readIndex,
} from './layout.ts';
import { type TarEntry, tarOf } from './tar.ts';

/** A containerd to load images into. */
export interface Containerd {
  /** Path of the program ctr. */
  readonly ctr: string;
  /**
   * Its socket's path as this process sees it. That of a containerd in another mount namespace is
   * `/proc/<a process in there>/root<path in there>`.
   */
  readonly address: string;
}

/** The arguments of ctr for a command on the images of Kubernetes. */
export const ctrArgs = (address: string, command: readonly string[]): readonly string[] => [
  '--address',
  address,
  '--namespace',
  'k8s.io',
  ...command,
];

/** Whether `ctr images check` lists this digest as complete and unpacked. */
export const isReady = (checked: string, digest: string): boolean =>
  checked.split('\n').some((line) => line.includes(` ${digest} complete `) && line.trimEnd().endsWith(' true'));

/**
 * An image of the layout by its reference.
 * @throws Failure where the layout has none of that reference, or not all of it.
 */
export const findImage = async (reference: string, layoutDir = imagesDir()): Promise<BuiltImage> => {
  const manifest = (await readIndex(layoutDir)).find((listed) => referenceOf(listed) === reference);
  if (manifest !== undefined) return { reference, digest: manifest.digest, layoutDir };
  throw new Failure({
    tried: `find image ${reference}`,
    got: `${layoutDir} does not list it`,
    next: "run 'understudy up', which builds it",
  });
};

const blobEntry = async (layoutDir: string, { digest }: Descriptor): Promise<TarEntry> => {
  const path = join(layoutDir, blobName(digest));
  const content = await readFile(path);
  if (digestOf(content) === digest) return { type: 'content', path: `/${blobName(digest)}`, mode: 0o644, content };
  await rm(path);
  throw new Failure({
    tried: `read ${path}`,
    got: 'its content does not match its digest, so it was removed',
    next: 'run the same command again, which builds it anew',
  });
};

/**
 * An image as an OCI archive, without the blobs that its receiver has already. The same image gives the same bytes.
 * @throws Failure where a blob is missing or damaged.
 */
export const imageArchive = async (
  { reference, digest, layoutDir }: BuiltImage,
  receiverHas: ReadonlySet<string>,
): Promise<Buffer> => {
  const manifest = (await readIndex(layoutDir)).find((listed) => referenceOf(listed) === reference);
  const blobs = manifest && (await imageBlobs(layoutDir, manifest));
  if (manifest?.digest !== digest || blobs === undefined) {
    throw new Failure({
      tried: `read image ${reference}`,
      got: `parts of it are missing in ${layoutDir}`,
      next: 'run the same command again, which builds them anew',
    });
  }
  const wanted = blobs.filter((blob) => !receiverHas.has(blob.digest));
  const document = (path: string, json: string): TarEntry => ({
    type: 'content',
    path,
    mode: 0o644,
    content: Buffer.from(json),
  });
  return tarOf([
    document('/oci-layout', layoutMarker),
    document('/index.json', indexOf([manifest])),
    ...(await Promise.all(wanted.map((blob) => blobEntry(layoutDir, blob)))),
  ]);
};

/**
 * Makes an image usable by a node's pods. Sends only the blobs that the node lacks: of a changed service its own layer.
 * @returns whether it was sent, or was there already.
 * @throws Failure with what ctr said, or about the layout.
 */
export const importImage = async ({ ctr, address }: Containerd, image: BuiltImage): Promise<'sent' | 'present'> => {
  const run = (command: readonly string[], input?: Uint8Array): Promise<string> =>
    exec(ctr, ctrArgs(address, command), { input, next: `see whether containerd answers at ${address}` });
  const [checked, blobs] = await Promise.all([
    run(['images', 'check', `name==${image.reference}`]),
    run(['content', 'ls', '--quiet']),
  ]);
  if (isReady(checked, image.digest)) return 'present';
  // Without --local the archive goes through containerd's transfer service, which takes twice as long.
  await run(['images', 'import', '--local', '-'], await imageArchive(image, new Set(blobs.split('\n'))));
  return 'sent';
};
