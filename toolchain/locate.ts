import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import type { Program } from './recipe.ts';
import { versionIn } from './version.ts';
import type { VersionMemory } from './versionMemory.ts';

/** Where a program is to be had from without making anything. */
export interface Located<Name extends string = string> {
  readonly name: Name;
  /** The version that is wanted, and that the one found has. */
  readonly version: string;
  readonly source: 'path' | 'cache' | 'missing';
  /** Absolute path of the executable. */
  readonly path?: string;
}

/** What was seen of one program. */
export interface Observed {
  /** Executables of its name on PATH, in PATH's order, with the version that each told. */
  readonly onPath: readonly { readonly path: string; readonly version: string | undefined }[];
  /** Its path in the cache, where it is there. */
  readonly cached: string | undefined;
}

/** The first one on PATH of the right version, else the cached one. */
export const decide = <N extends string>(name: N, version: string, observed: Observed): Located<N> => {
  const onPath = observed.onPath.find((candidate) => candidate.version === version);
  if (onPath) return { name, version, source: 'path', path: onPath.path };
  if (observed.cached !== undefined) return { name, version, source: 'cache', path: observed.cached };
  return { name, version, source: 'missing' };
};

const isFile = async (path: string, how: number): Promise<boolean> => {
  try {
    await access(path, how);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
};

export const isExecutableFile = (path: string): Promise<boolean> => isFile(path, constants.X_OK);

/** All executables of that name on PATH, absolute, in PATH's order. */
export const allOnPath = async (name: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> => {
  const folders = [...new Set((env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''))];
  const candidates = folders.map((folder) => resolve(join(folder, name)));
  const there = await Promise.all(candidates.map(isExecutableFile));
  return candidates.filter((_candidate, index) => there[index]);
};

/** Looks at PATH and at the program's place in the cache. */
export const observe = async (
  program: Program,
  cachePath: string,
  memory: VersionMemory,
  env: NodeJS.ProcessEnv,
): Promise<Observed> => {
  const question = program.asks;
  const paths = question === undefined ? [] : await allOnPath(program.name, env);
  const onPath = await Promise.all(
    paths.map(async (path) => {
      const answer = question && (await memory.ask(path, question.args));
      return { path, version: question && answer !== undefined ? versionIn(answer, question.says) : undefined };
    }),
  );
  const isThere = await isFile(cachePath, program.isData === true ? constants.R_OK : constants.X_OK);
  return { onPath, cached: isThere ? cachePath : undefined };
};
