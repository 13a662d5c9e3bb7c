import { join } from 'node:path';
import { Failure, hasCode } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import type { BuilderOptions } from './build.ts';
import { fullDiskFailure, isFullDisk, places } from './diskSpace.ts';
import type { Unavailable } from './download.ts';
import { decide, type Located, observe } from './locate.ts';
import { createObtain, type Member } from './obtain.ts';
import type { Group } from './recipe.ts';
import { cacheKey, readPins } from './store.ts';
import { openVersionMemory, type VersionMemory } from './versionMemory.ts';

export interface ToolchainOptions<Name extends string> extends BuilderOptions {
  readonly groups: readonly Group<Name>[];
}

export interface Toolchain<Name extends string> {
  /**
   * Absolute paths of these programs, which are got where they are missing: PATH, cache, download, build.
   * @throws Failure that says what was tried and what to do.
   */
  ensure<N extends Name>(names: readonly N[], progress: Progress): Promise<Record<N, string>>;
  /** Where each would come from; changes nothing. */
  inspect<N extends Name>(names: readonly N[]): Promise<readonly Located<N>[]>;
  /** Like `ensure`, for a program that may turn out not to be had: undefined where it is there now. */
  tryObtain(name: Name, progress: Progress): Promise<undefined | Unavailable>;
}

export const createToolchain = <Name extends string>(options: ToolchainOptions<Name>): Toolchain<Name> => {
  const { groups, arch, modulesDir, cache, env } = options;
  const openMemory = (): Promise<VersionMemory> => openVersionMemory(join(cache, 'path-versions.json'), env);

  const membersOf = async (names: readonly Name[]): Promise<readonly Member<Name>[]> => {
    const wanted = groups.map((group) => group.programs.filter(({ name }) => names.includes(name)));
    const perGroup = groups.map(async (group, index) => {
      const programs = wanted[index] ?? [];
      const module = programs.length > 0 ? group.build?.module : undefined;
      const pins = module === undefined ? '' : await readPins(join(modulesDir, module));
      return programs.map((program): Member<Name> => {
        return { group, program, cachePath: join(cache, cacheKey(program, group, arch, pins), program.name) };
      });
    });
    return (await Promise.all(perGroup)).flat();
  };

  const locate = async <N extends string>(member: Member<N>, memory: VersionMemory): Promise<Located<N>> => {
    const { program, group, cachePath } = member;
    return decide(program.name, group.version, await observe(program, cachePath, memory, env));
  };

  const obtain = createObtain(options, async (members) => {
    const memory = await openMemory();
    const located = await Promise.all(members.map((member) => locate(member, memory)));
    return members.filter((_member, index) => located[index]?.source === 'missing');
  });

  const locateAll = async <N extends Name>(
    names: readonly N[],
    memory: VersionMemory,
  ): Promise<readonly Located<N>[]> => {
    const members = await membersOf(names);
    const located = await Promise.all(members.map((member) => locate(member, memory)));
    return names.map((name) => {
      const one = located.find((candidate): candidate is Located<N> => candidate.name === name);
      if (one === undefined) throw new Error(`the table of programs has no ${name}`);
      return one;
    });
  };

  /** A failure that tells the user what to do about the cache's folder, where the error is of that kind. */
  const explain = async (error: unknown, wanted: string): Promise<unknown> => {
    if (isFullDisk(error)) return fullDiskFailure(`get ${wanted}`, places(cache), error);
    if (!(error instanceof Error) || !['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].some((code) => hasCode(error, code)))
      return error;
    const next = 'make that folder writable, or choose another one: export UNDERSTUDY_CACHE=…';
    return new Failure({ tried: `keep ${wanted} in ${cache}`, got: error.message, next, cause: error });
  };

  /** Gets all that is missing, group beside group; the first failure ends the others. */
  const obtainAll = async (missing: readonly Located<Name>[], progress: Progress): Promise<undefined | Unavailable> => {
    const wanted = missing.map(({ name, version }) => `${name} ${version}`).join(', ');
    const members = await membersOf(missing.map(({ name }) => name));
    const stop = new AbortController();
    const obtaining = groups.map(async (group, rank) => {
      const own = members.filter((member) => member.group === group);
      if (own.length === 0) return undefined;
      try {
        return await obtain({ group, members: own, rank, wanted, signal: stop.signal, progress });
      } catch (error) {
        if (!stop.signal.aborted) stop.abort(await explain(error, wanted));
        return undefined;
      }
    });
    const unavailable = (await Promise.all(obtaining)).find((result) => result !== undefined);
    stop.signal.throwIfAborted();
    return unavailable;
  };

  return {
    ensure: async <N extends Name>(names: readonly N[], progress: Progress) => {
      const memory = await openMemory();
      const located = await locateAll(names, memory);
      const missing = located.filter(({ source }) => source === 'missing');
      const unavailable = missing.length > 0 ? await obtainAll(missing, progress) : undefined;
      await memory.save();
      const final = missing.length > 0 ? await locateAll(names, memory) : located;
      const paths = final.map(({ name, path }): [string, string] => {
        if (path !== undefined) return [name, path];
        const got = unavailable?.unavailable ?? 'it is gone again';
        throw new Failure({ tried: `find ${name}`, got, next: 'run again' });
      });
      return Object.fromEntries(paths) as Record<N, string>;
    },
    inspect: async (names) => locateAll(names, await openMemory()),
    tryObtain: async (name, progress) => obtainAll(await locateAll([name], await openMemory()), progress),
  };
};
