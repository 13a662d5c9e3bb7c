import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../common/failure.ts';
import { withLock } from '../common/lock.ts';
import type { Progress } from '../common/progress.ts';
import { createBuilder } from './build.ts';
import { fullDiskFailure, isFullDisk, places } from './diskSpace.ts';
import type { Downloader, Unavailable } from './download.ts';
import { decide, type Located, observe } from './locate.ts';
import type { Architecture, Group, Program } from './recipe.ts';
import { fetchPrograms } from './release.ts';
import { cacheKey, install, readPins } from './store.ts';
import { openVersionMemory, type VersionMemory } from './versionMemory.ts';

export interface ToolchainOptions<Name extends string> {
  readonly groups: readonly Group<Name>[];
  readonly arch: Architecture;
  /** Folder of the folders whose go.mod and go.sum pin what is built. */
  readonly modulesDir: string;
  /** Folder that the programs are kept in. */
  readonly cache: string;
  readonly downloader: Downloader;
  /** Environment of the programs that are asked and run; its PATH is searched. */
  readonly env: NodeJS.ProcessEnv;
  readonly buildsAtOnce: number;
}

export interface Toolchain<Name extends string> {
  /**
   * Absolute paths of these programs, which are got where they are missing: PATH, cache, download, build.
   * @throws Failure that says what was tried and what to do.
   */
  ensure<N extends Name>(names: readonly N[], progress: Progress): Promise<Record<N, string>>;
  /** Where each would come from; changes nothing. */
  inspect<N extends Name>(names: readonly N[]): Promise<readonly Located<N>[]>;
  /** Like `ensure`, for programs of one group that may turn out not to be had. */
  tryObtain(group: Group<Name>, progress: Progress): Promise<undefined | Unavailable>;
}

/** A program in its group, and where its copy in the cache belongs. */
interface Member<Name extends string> {
  readonly group: Group<Name>;
  readonly program: Program<Name>;
  readonly cachePath: string;
}

const pinsOf = (group: Group, modulesDir: string): Promise<string> =>
  group.build === undefined ? Promise.resolve('') : readPins(join(modulesDir, group.build.module));

export const createToolchain = <Name extends string>(options: ToolchainOptions<Name>): Toolchain<Name> => {
  const { groups, arch, modulesDir, cache, downloader, env } = options;
  const builder = createBuilder({ arch, modulesDir, cache, downloader, env, atOnce: options.buildsAtOnce });
  const openMemory = (): Promise<VersionMemory> => openVersionMemory(join(cache, 'path-versions.json'), env);

  const told = new Set<string>();
  const tellOnce = (text: string, progress: Progress): void => {
    if (!told.has(text)) progress.note(text);
    told.add(text);
  };

  const membersOf = async (wanted: ReadonlySet<string>): Promise<readonly Member<Name>[]> => {
    const concerned = groups.filter((group) => group.programs.some(({ name }) => wanted.has(name)));
    const perGroup = concerned.map(async (group) => {
      const pins = await pinsOf(group, modulesDir);
      const programs = group.programs.filter(({ name }) => wanted.has(name));
      return programs.map((program): Member<Name> => {
        return { group, program, cachePath: join(cache, cacheKey(program, group, arch, pins), program.name) };
      });
    });
    return (await Promise.all(perGroup)).flat();
  };

  const locate = async (member: Member<Name>, memory: VersionMemory): Promise<Located<Name>> => {
    const observed = await observe(member.program, member.cachePath, memory, env);
    return decide(member.program.name, member.group.version, observed);
  };

  const locateAll = async (names: readonly Name[], memory: VersionMemory): Promise<readonly Located<Name>[]> => {
    const members = await membersOf(new Set(names));
    const located = await Promise.all(members.map((member) => locate(member, memory)));
    return names.map((name) => {
      const one = located.find((candidate) => candidate.name === name);
      if (one === undefined) throw new Error(`the table of programs has no ${name}`);
      return one;
    });
  };

  /** Removes what dead runs left, but for downloads that can be gone on with. */
  const sweep = async (folder: string): Promise<void> => {
    const all = await readdir(folder).catch(() => []);
    const left = all.filter((name) => !name.endsWith('.part'));
    await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  };

  /** Gets the missing ones of these members, all of one group, alone among all runs on this machine. */
  const obtainMembers = async (
    group: Group<Name>,
    members: readonly Member<Name>[],
    wanted: string,
    signal: AbortSignal,
    progress: Progress,
  ): Promise<undefined | Unavailable> => {
    const memory = await openMemory();
    const getMissing = async (): Promise<undefined | Unavailable> => {
      signal.throwIfAborted();
      const located = await Promise.all(members.map((member) => locate(member, memory)));
      const missing = members.filter((_member, index) => located[index]?.source === 'missing');
      if (missing.length === 0) return undefined;
      const programs = missing.map(({ program }) => program);
      const groupWork = join(cache, 'tmp', group.name);
      await mkdir(groupWork, { recursive: true });
      await sweep(groupWork);
      // A go build that outlived its killed run must not meet this one's files.
      const work = await mkdtemp(join(groupWork, 'run-'));
      try {
        const fetched = await fetchPrograms(group, programs, { parts: groupWork, work }, downloader, signal, progress);
        if ('unavailable' in fetched) {
          if (group.build === undefined) return fetched;
          if (programs.every(({ release }) => release)) {
            tellOnce(`no download, so building from source: ${fetched.unavailable}`, progress);
          }
        }
        const made =
          'unavailable' in fetched
            ? await builder.build({
                group,
                programs,
                rank: groups.indexOf(group),
                wanted,
                ...fetched,
                work,
                signal,
                progress,
              })
            : fetched;
        for (const { program, cachePath } of missing) {
          const file = made.get(program.name);
          if (file === undefined) throw new Error(`${program.name} was not made`);
          await install(file, cachePath);
        }
        await rm(groupWork, { recursive: true, force: true });
        return undefined;
      } finally {
        await sweep(groupWork);
      }
    };
    return withLock(join(cache, 'locks', group.name), getMissing, () =>
      progress.note(`another run is getting ${group.name} ${group.version}: waiting for it`),
    );
  };

  const explain = async (error: unknown, wanted: string): Promise<unknown> =>
    isFullDisk(error) ? fullDiskFailure(`get ${wanted}`, places(cache), error) : error;

  return {
    ensure: async <N extends Name>(names: readonly N[], progress: Progress) => {
      const memory = await openMemory();
      const located = await locateAll(names, memory);
      const missing = located.filter(({ source }) => source === 'missing');
      const wanted = missing.map(({ name, version }) => `${name} ${version}`).join(', ');
      const members = await membersOf(new Set(missing.map(({ name }) => name)));
      const stop = new AbortController();
      const obtaining = groups.map(async (group) => {
        const own = members.filter((member) => member.group === group);
        if (own.length === 0) return;
        try {
          const unavailable = await obtainMembers(group, own, wanted, stop.signal, progress);
          if (unavailable) throw new Error(`${group.name} cannot be built: ${unavailable.unavailable}`);
        } catch (error) {
          // One that fails ends the others: the user should not wait minutes for what is known now.
          if (!stop.signal.aborted) stop.abort(await explain(error, wanted));
        }
      });
      await Promise.all(obtaining);
      stop.signal.throwIfAborted();
      await memory.save();
      const final = missing.length === 0 ? located : await locateAll(names, memory);
      const paths = final.map(({ name, path }): [string, string] => {
        if (path === undefined)
          throw new Failure({ tried: `find ${name}`, got: 'it is gone again', next: 'run again' });
        return [name, path];
      });
      return Object.fromEntries(paths) as Record<N, string>;
    },
    inspect: async <N extends Name>(names: readonly N[]) =>
      (await locateAll(names, await openMemory())) as readonly Located<N>[],
    tryObtain: async (group, progress) => {
      const members = await membersOf(new Set(group.programs.map(({ name }) => name)));
      const wanted = group.programs.map(({ name }) => `${name} ${group.version}`).join(', ');
      try {
        return await obtainMembers(group, members, wanted, new AbortController().signal, progress);
      } catch (error) {
        throw await explain(error, wanted);
      }
    },
  };
};
