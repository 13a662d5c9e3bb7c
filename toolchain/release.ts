import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '../common/progress.ts';
import { digestFor } from './checksums.ts';
import type { Downloader, Unavailable } from './download.ts';
import type { Group, Program, Release } from './recipe.ts';
import { isArchive, unpack } from './unpack.ts';

/** Programs by their name, as files in a work folder. */
export type Made = ReadonlyMap<string, string>;

/** Where downloads go. */
export interface Folders {
  /** Of `*.part` files, which a later run goes on with. */
  readonly parts: string;
  /** Of this run alone. */
  readonly work: string;
}

/** One download and the programs that come out of it. */
interface Parcel {
  readonly release: Release;
  readonly names: readonly string[];
}

/** The downloads that bring these programs; undefined where one of them is published by nobody. */
export const parcelsFor = (programs: readonly Program[]): readonly Parcel[] | undefined => {
  const byUrl = new Map<string, Parcel>();
  for (const { name, release } of programs) {
    if (release === undefined) return undefined;
    byUrl.set(release.url, { release, names: [...(byUrl.get(release.url)?.names ?? []), name] });
  }
  return [...byUrl.values()];
};

const fetchParcel = async (
  { release, names }: Parcel,
  version: string,
  folders: Folders,
  downloader: Downloader,
  signal: AbortSignal,
  progress: Progress,
): Promise<Made | Unavailable> => {
  const checksums = await downloader.text(release.checksumsUrl, signal);
  if (typeof checksums !== 'string') return checksums;
  const file = release.url.slice(release.url.lastIndexOf('/') + 1);
  const digest = digestFor(checksums, file);
  if (digest === undefined) return { unavailable: `${release.checksumsUrl} has no SHA-256 of ${file}` };
  return progress.phase(`download ${names.join(', ')} ${version}`, async () => {
    const path = join(folders.parts, `${digest}.part`);
    const unavailable = await downloader.file(release.url, digest, path, signal);
    if (unavailable) return unavailable;
    const downloaded = join(folders.work, 'downloaded');
    await mkdir(downloaded, { recursive: true });
    const made = new Map(names.map((name) => [name, join(downloaded, name)]));
    if (!isArchive(file)) {
      for (const target of made.values()) await rename(path, target);
      return made;
    }
    const found = await unpack(path, names, downloaded);
    const lacking = names.filter((name) => !found.has(name));
    return lacking.length > 0 ? { unavailable: `${release.url} holds no ${lacking.join(', ')}` } : made;
  });
};

/**
 * Downloads programs of a group, checked against what is published beside them.
 * @throws Failure of the downloader.
 */
export const fetchPrograms = async (
  group: Group,
  programs: readonly Program[],
  folders: Folders,
  downloader: Downloader,
  signal: AbortSignal,
  progress: Progress,
): Promise<Made | Unavailable> => {
  const parcels = parcelsFor(programs);
  if (parcels === undefined) return { unavailable: `nobody publishes ${programs.map(({ name }) => name).join(', ')}` };
  const fetched = await Promise.all(
    parcels.map((parcel) => fetchParcel(parcel, group.version, folders, downloader, signal, progress)),
  );
  const made = new Map<string, string>();
  for (const result of fetched) {
    if ('unavailable' in result) return result;
    for (const [name, path] of result) made.set(name, path);
  }
  return made;
};
