import { join } from 'node:path';
import { Failure } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import { compileC, moduleFolderIn } from './cBuild.ts';
import { places } from './diskSpace.ts';
import type { Downloader, Unavailable } from './download.ts';
import { findGo, type Go, type GoPlan, goVersionIn, planGo } from './go.ts';
import { fetchSources, type GoRun, goBuild, runGo } from './goBuild.ts';
import { copyFiles, downloadFiles } from './moduleFiles.ts';
import type { Architecture, CBuild, Group, ModuleFiles, Program } from './recipe.ts';
import type { Made } from './release.ts';
import { readPins } from './store.ts';
import { buildPackagesNamed, installMissing } from './systemPackages.ts';
import { createTurns } from './turns.ts';

/** One group to build, and how it came to that. */
export interface Order {
  readonly group: Group;
  readonly programs: readonly Program[];
  /** Lower ones are built first. */
  readonly rank: number;
  /** Everything that this run is short of, for the message when there is no way at all. */
  readonly wanted: string;
  /** Why it was not downloaded. */
  readonly unavailable: string;
  /** A folder of this run alone, in the cache. */
  readonly work: string;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export interface Builder {
  build(order: Order): Promise<Made>;
}

export interface BuilderOptions {
  readonly arch: Architecture;
  /** Folder of the folders whose go.mod and go.sum pin what is built. */
  readonly modulesDir: string;
  /** Folder that the programs are kept in. */
  readonly cache: string;
  readonly downloader: Downloader;
  /** Environment of the programs that are asked and run; its PATH is searched. */
  readonly env: NodeJS.ProcessEnv;
  /** Where a Go is looked for that is not on PATH. */
  readonly goPlaces: readonly string[];
  /** How many builds run beside each other; `go build` itself uses every core. */
  readonly buildsAtOnce: number;
}

/** The failure when a program is nowhere to be had: what was tried, and the ways out. */
export const noWayFailure = (
  order: Pick<Order, 'wanted' | 'unavailable'>,
  why: string,
  needed: string,
  arch: Architecture,
): Failure =>
  new Failure({
    tried: `get ${order.wanted}`,
    got: `not on PATH in that version, not in the cache; download: ${order.unavailable}; go build: ${why}`,
    next: [
      `one of these, then run again:`,
      `install Go ${needed} or newer (a distribution's own package is mostly older, see https://go.dev/dl):`,
      `  curl -fsSL https://go.dev/dl/go${needed}.linux-${arch}.tar.gz | tar -xz -C /usr/local && export PATH=$PATH:/usr/local/go/bin`,
      `let this machine reach the download, or a mirror of it: export UNDERSTUDY_DOWNLOAD_MIRROR=https://…`,
      `put those programs, in those versions, on PATH`,
    ].join('\n    '),
  });

export const createBuilder = ({
  arch,
  modulesDir,
  cache,
  downloader,
  env,
  goPlaces,
  buildsAtOnce,
}: BuilderOptions): Builder => {
  const sourceTurns = createTurns(1);
  const buildTurns = createTurns(buildsAtOnce);
  const packageTurns = createTurns(1);
  let found: Promise<readonly Go[]> | undefined;

  const planFor = async (module: string): Promise<{ readonly plan: GoPlan; readonly needed: string }> => {
    found ??= findGo(env, goPlaces);
    const needed = goVersionIn(await readPins(join(modulesDir, module)));
    return { plan: planGo(await found, needed), needed };
  };

  const runFor = (order: Order, plan: GoRun['plan'], module: string): GoRun => {
    const { work, signal } = order;
    return { plan, arch, moduleDir: join(modulesDir, module), cache, work, env, signal };
  };

  /** Has Go download a module whose files could not be downloaded one by one. */
  const moduleFolder = async (
    build: CBuild | ModuleFiles,
    order: Order,
    unavailable: Unavailable,
    tried: string,
  ): Promise<string> => {
    const { plan, needed } = await planFor(build.module);
    if (plan.kind === 'none') throw noWayFailure({ ...order, ...unavailable }, plan.why, needed, arch);
    const run = runFor(order, plan, build.module);
    const json = await runGo(run, { cgo: false }, tried, ['mod', 'download', '-json', build.goModule], needed);
    return moduleFolderIn(json);
  };

  const sourceOf = async (build: CBuild, order: Order): Promise<string> => {
    const downloaded = join(order.work, 'source.c');
    const unavailable = await downloader.file(build.url, build.sha256, downloaded, order.signal);
    if (!unavailable) return downloaded;
    const folder = await moduleFolder(build, order, unavailable, `fetch the source of ${order.group.name}`);
    return join(folder, build.file);
  };

  const filesOf = async (build: ModuleFiles, order: Order): Promise<Made> => {
    const names = order.programs.map(({ name }) => name);
    const fetched = await downloadFiles(build, names, order.work, downloader, order.signal);
    if (!('unavailable' in fetched)) return fetched;
    const folder = await moduleFolder(build, order, fetched, `fetch ${order.group.name}`);
    return copyFiles(build, names, folder, order.work);
  };

  return {
    build: async (order) => {
      const { group, programs, work, signal, progress } = order;
      const { build } = group;
      if (build === undefined) throw new Error(`${group.name} cannot be built`);
      const { plan, needed } = await planFor(build.module);
      if (build.kind === 'go' && plan.kind === 'none') throw noWayFailure(order, plan.why, needed, arch);
      await packageTurns.take(order.rank, () => installMissing(progress, buildPackagesNamed(build.packages), env));
      const names = programs.map(({ name }) => name).join(', ');
      if (build.kind === 'files') {
        return progress.phase(`fetch ${group.name} ${group.version}`, () => filesOf(build, order));
      }
      if (build.kind === 'c') {
        return progress.phase(`compile ${names} ${group.version}`, async () => {
          const source = await sourceOf(build, order);
          const folders = places(cache, plan.kind === 'use' ? plan.go : undefined);
          return new Map([[names, await compileC(build, source, names, work, env, folders)]]);
        });
      }
      if (plan.kind === 'none') throw noWayFailure(order, plan.why, needed, arch);
      const run = runFor(order, plan, build.module);
      await sourceTurns.take(order.rank, () => {
        signal.throwIfAborted();
        const text = `fetch the sources of ${group.name} ${group.version}`;
        return progress.phase(text, () => fetchSources(run, build, programs, needed));
      });
      return buildTurns.take(order.rank, () => {
        signal.throwIfAborted();
        const began = performance.now();
        return progress.phase(`build ${names} ${group.version}`, () =>
          goBuild(run, build, programs, needed, (name) => {
            const elapsed = ((performance.now() - began) / 1000).toFixed(1);
            if (programs.length > 1) progress.note(`built ${name} ${group.version} (${elapsed}s)`);
          }),
        );
      });
    },
  };
};
