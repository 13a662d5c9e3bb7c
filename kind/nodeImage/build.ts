import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../common/exec.ts';
import { Failure } from '../../common/failure.ts';
import { withLock } from '../../common/lock.ts';
import { cacheDir } from '../../common/paths.ts';
import { type Progress, silentProgress } from '../../common/progress.ts';
import { buildNodeLayerImage } from '../../image/build.ts';
import { ensureKindBase, ensurePrograms, installMissing } from '../../toolchain/index.ts';
import { writeArchive } from './archive.ts';
import { makeDebian } from './debian.ts';
import { buildPodImage } from './podImages.ts';
import { type NamedImage, preloadImages } from './preload.ts';
import {
  debianKey,
  imagePrograms,
  type NodeImageParts,
  nodeImageKey,
  type PodProgram,
  podPrograms,
  programOf,
} from './recipe.ts';
import { furnishNode } from './rootfs.ts';

/** A kind node image on this machine's disk. */
export interface NodeImage {
  /** `understudy.local/kind-node:v1.36.3-<key>`: what a cluster's settings name. */
  readonly reference: string;
  /** An archive for `docker load`, `podman load`. */
  readonly archive: string;
  /** Of Kubernetes, with a leading v. */
  readonly version: string;
  /** Whether it was there already. */
  readonly cached: boolean;
}

const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

const nodeImagesDir = (): string => join(cacheDir(), 'node-images');

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const requireRootFor = (what: string): void => {
  if (process.getuid?.() === 0) return;
  throw new Failure({ tried: what, got: 'debootstrap needs root', next: 'run it as root (sudo)' });
};

const isPodProgram = (name: string): name is PodProgram => Object.hasOwn(podPrograms, name);

/** The images that kubeadm of that version asks for, each with the program that is to be in it. */
const askedImages = async (kubeadm: string, version: string): Promise<ReadonlyMap<string, PodProgram>> => {
  const list = await exec(kubeadm, ['config', 'images', 'list', '--kubernetes-version', version]);
  const images = list.split('\n').filter((line) => line !== '');
  return new Map(
    images.map((image): [string, PodProgram] => {
      const program = programOf(image);
      if (!isPodProgram(program)) throw new Error(`kubeadm ${version} asks for ${image}, of which there is no program`);
      return [image, program];
    }),
  );
};

/** Makes the image from its parts, in `work`. */
const makeImage = async (
  parts: NodeImageParts,
  version: string,
  image: Pick<NodeImage, 'reference' | 'archive'>,
  work: string,
  progress: Progress,
): Promise<void> => {
  const { programs } = parts;
  const debian = join(nodeImagesDir(), `debian-${debianKey(architecture)}`);
  if (!(await exists(debian))) await makeDebian(debian, work, progress);
  const asked = await askedImages(programs.kubeadm, version);
  const pauseImage = [...asked.keys()].find((name) => programOf(name) === 'pause') ?? '';
  const root = join(work, 'root');
  await progress.phase('files of the node', async () => {
    await exec('cp', ['--archive', '--reflink=auto', debian, root]);
    await furnishNode(root, parts, version, pauseImage);
  });
  const { serviceLayer } = parts;
  const images: NamedImage[] = [{ name: serviceLayer.reference, image: serviceLayer }];
  for (const [name, program] of asked) {
    const built = await buildPodImage(program, programs[program], debian, progress, join(work, 'layout'));
    images.push({ name, image: built });
  }
  await progress.phase(`${images.length} images into the node`, () => preloadImages(root, programs, images, work));
  await progress.phase(`archive ${image.reference}`, () =>
    writeArchive(root, work, image.archive, image.reference, architecture),
  );
};

/** Removes what runs that were killed left, and older images: each is 1 GB. */
const tidy = async (keep: string): Promise<void> => {
  const dir = nodeImagesDir();
  const old = (await readdir(dir)).filter(
    (name) => name.startsWith('work-') || (name.endsWith('.tar') && name !== keep),
  );
  await Promise.all(old.map((name) => rm(join(dir, name), { recursive: true, force: true })));
};

/**
 * A node image for kind, made of the toolchain's programs, kind's own files and Debian packages, so that no registry is
 * needed. It is kept in the cache under what went in.
 * @throws Failure where this process is not root, or what debootstrap, containerd or tar said
 */
export const ensureNodeImage = async (progress: Progress): Promise<NodeImage> => {
  const tools = [
    { name: 'debootstrap', commands: ['debootstrap'] },
    { name: 'debian-archive-keyring', anyFile: ['/usr/share/keyrings/debian-archive-keyring.gpg'] },
    { name: 'tar', commands: ['tar'] },
    { name: 'util-linux', commands: ['setpriv', 'flock'] },
  ];
  const programs = await ensurePrograms(imagePrograms, progress);
  const parts: NodeImageParts = {
    serviceLayer: await buildNodeLayerImage(silentProgress),
    programs,
    kindBase: await ensureKindBase(progress),
  };
  const version = (await exec(programs.kubeadm, ['version', '-o', 'short'])).trim();
  const key = nodeImageKey(parts);
  const file = `${version}-${key}.tar`;
  const image = {
    reference: `understudy.local/kind-node:${version}-${key}`,
    archive: join(nodeImagesDir(), file),
    version,
  };
  if (await exists(image.archive)) return { ...image, cached: true };
  requireRootFor(`make node image ${image.reference}`);
  await installMissing(progress, tools);
  const make = async (): Promise<NodeImage> => {
    if (await exists(image.archive)) return { ...image, cached: true };
    await tidy(file);
    await mkdir(nodeImagesDir(), { recursive: true, mode: 0o700 });
    const work = await mkdtemp(join(nodeImagesDir(), 'work-'));
    try {
      await makeImage(parts, version, image, work, progress);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return { ...image, cached: false };
  };
  const onWait = (): void => progress.note('another run makes a node image: waiting for it');
  return withLock(join(nodeImagesDir(), 'lock'), make, onWait);
};
