import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../common/failure.ts';
import { type Downloader, sha256Of, type Unavailable } from './download.ts';
import type { ModuleFile, ModuleFiles } from './recipe.ts';
import type { Made } from './release.ts';

const fileOf = (build: ModuleFiles, name: string): ModuleFile => {
  const file = build.files[name];
  if (file === undefined) throw new Error(`the table of files has no ${name}`);
  return file;
};

/** Downloads files of a module one by one into `work`, each checked against its pinned SHA-256. */
export const downloadFiles = async (
  build: ModuleFiles,
  names: readonly string[],
  work: string,
  downloader: Downloader,
  signal: AbortSignal,
): Promise<Made | Unavailable> => {
  const folder = join(work, 'downloaded');
  await mkdir(folder, { recursive: true });
  const made = new Map<string, string>();
  for (const name of names) {
    const { path, sha256 } = fileOf(build, name);
    const target = join(folder, name);
    const unavailable = await downloader.file(`${build.url}/${path}`, sha256, target, signal);
    if (unavailable) return unavailable;
    made.set(name, target);
  }
  return made;
};

/**
 * Copies files of a module from the folder that Go keeps it in into `work`.
 * @throws Failure where one is not what is pinned: Go checks a module when it downloads it, and not again.
 */
export const copyFiles = async (
  build: ModuleFiles,
  names: readonly string[],
  moduleFolder: string,
  work: string,
): Promise<Made> => {
  const folder = join(work, 'copied');
  await mkdir(folder, { recursive: true });
  const made = new Map<string, string>();
  for (const name of names) {
    const { path, sha256 } = fileOf(build, name);
    const target = join(folder, name);
    await copyFile(join(moduleFolder, path), target);
    const got = await sha256Of(target);
    if (got !== sha256) {
      throw new Failure({
        tried: `take ${path} from ${moduleFolder}`,
        got: `its SHA-256 is ${got}, not the pinned ${sha256}`,
        next: "it was changed after its download: remove that folder ('go clean -modcache' removes all), then run again",
      });
    }
    made.set(name, target);
  }
  return made;
};
