import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../common/lock.ts';
import type { Progress } from '../common/progress.ts';
import { type BuilderOptions, createBuilder, type Order } from './build.ts';
import type { Unavailable } from './download.ts';
import type { Group, Program } from './recipe.ts';
import { fetchPrograms, type Made } from './release.ts';
import { install } from './store.ts';

/** A program of a group, and where its copy in the cache belongs. */
export interface Member<Name extends string = string> {
  readonly group: Group<Name>;
  readonly program: Program<Name>;
  readonly cachePath: string;
}

/** Programs of one group to be got. */
export interface Request extends Pick<Order, 'group' | 'rank' | 'wanted' | 'signal' | 'progress'> {
  readonly members: readonly Member[];
}

/** Gets programs of one group into the cache, or tells why they cannot be had. */
export type Obtain = (request: Request) => Promise<undefined | Unavailable>;

/** Removes what dead runs left, but for downloads that can be gone on with. */
const sweep = async (folder: string): Promise<void> => {
  const left = (await readdir(folder)).filter((name) => !name.endsWith('.part'));
  await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
};

/**
 * Downloads, else builds, what is missing, alone among all runs on this machine.
 * @param missingOf those that are in no place yet; asked again once the lock is held, as another run may have got them.
 */
export const createObtain = (
  options: BuilderOptions,
  missingOf: (members: readonly Member[]) => Promise<readonly Member[]>,
): Obtain => {
  const { cache, downloader } = options;
  const builder = createBuilder(options);
  const told = new Set<string>();
  const tellOnce = (text: string, progress: Progress): void => {
    if (!told.has(text)) progress.note(text);
    told.add(text);
  };

  const make = async (request: Request, programs: readonly Program[], parts: string): Promise<Made | Unavailable> => {
    const { group, signal, progress } = request;
    // A go build that outlived its killed run must not meet this one's files.
    const work = await mkdtemp(join(parts, 'run-'));
    const fetched = await fetchPrograms(group, programs, { parts, work }, downloader, signal, progress);
    if (!('unavailable' in fetched) || group.build === undefined) return fetched;
    if (programs.every(({ release }) => release !== undefined)) {
      tellOnce(`no download, so building from source: ${fetched.unavailable}`, progress);
    }
    return builder.build({ ...request, ...fetched, programs, work });
  };

  const obtainAlone = async (request: Request): Promise<undefined | Unavailable> => {
    request.signal.throwIfAborted();
    const missing = await missingOf(request.members);
    if (missing.length === 0) return undefined;
    const parts = join(cache, 'tmp', request.group.name);
    await mkdir(parts, { recursive: true });
    await sweep(parts);
    try {
      const programs = missing.map(({ program }) => program);
      const made = await make(request, programs, parts);
      if ('unavailable' in made) return made;
      for (const { program, cachePath } of missing) {
        const file = made.get(program.name);
        if (file === undefined) throw new Error(`${program.name} was not made`);
        await install(file, cachePath, program.isData === true ? 0o644 : 0o755);
      }
    } finally {
      await sweep(parts);
    }
    await rm(parts, { recursive: true });
    return undefined;
  };

  return (request) => {
    const { group, progress } = request;
    return withLock(
      join(cache, 'locks', group.name),
      () => obtainAlone(request),
      () => progress.note(`another run is getting ${group.name} ${group.version}: waiting for it`),
    );
  };
};
