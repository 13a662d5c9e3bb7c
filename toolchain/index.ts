import { totalmem } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../common/failure.ts';
import { cacheDir } from '../common/paths.ts';
import type { Progress } from '../common/progress.ts';
import { createDownloader } from './download.ts';
import { buildsAtOnce } from './goBuild.ts';
import type { Located } from './locate.ts';
import { findPlugins } from './plugins.ts';
import { groupsFor, type PluginName, type ProgramName, pluginsFor } from './programs.ts';
import type { Architecture } from './recipe.ts';
import { createToolchain } from './toolchain.ts';

export type { Located } from './locate.ts';
export type { PluginName, ProgramName } from './programs.ts';
export { installMissing, missingPackages, observeSystem, planInstall, runPackages } from './systemPackages.ts';

const architectures: Readonly<Record<string, Architecture>> = { x64: 'amd64', arm64: 'arm64' };

const thisArchitecture = (): Architecture => {
  const arch = architectures[process.arch];
  if (arch !== undefined && process.platform === 'linux') return arch;
  throw new Failure({
    tried: 'choose programs for this machine',
    got: `${process.platform} on ${process.arch}`,
    next: 'use Linux on x86-64 or arm64; a virtual machine will do',
  });
};

const create = () => {
  const arch = thisArchitecture();
  const cache = join(cacheDir(), 'toolchain');
  const shared = {
    arch,
    cache,
    modulesDir: join(import.meta.dirname, 'modules'),
    env: process.env,
    downloader: createDownloader({ mirror: process.env.UNDERSTUDY_DOWNLOAD_MIRROR }),
    // Where Go's own archive is unpacked to; sudo and cron have a PATH without it.
    goPlaces: ['/usr/local/go/bin/go'],
    buildsAtOnce: buildsAtOnce(totalmem()),
  };
  const plugins = pluginsFor(arch);
  return {
    programs: createToolchain<ProgramName>({ ...shared, groups: groupsFor(arch) }),
    findPlugins: (progress: Progress) =>
      findPlugins<PluginName>(
        {
          groups: plugins,
          toolchain: createToolchain({ ...shared, groups: plugins }),
          cache,
          env: process.env,
          now: Date.now,
        },
        progress,
      ),
  };
};

let created: ReturnType<typeof create> | undefined;
/** One for the process, so that what was learned of unreachable hosts holds for all of its calls. */
const toolchain = (): ReturnType<typeof create> => {
  created ??= create();
  return created;
};

/**
 * Absolute paths of third-party programs. Each is taken from PATH (in the right version), else from the cache
 * (`cacheDir()/toolchain`), else downloaded from its project (`UNDERSTUDY_DOWNLOAD_MIRROR`: base URL below which each
 * host is a folder), else built by Go from its pinned module.
 * @throws Failure that says what was tried and what to do.
 */
export const ensurePrograms = <N extends ProgramName>(
  names: readonly N[],
  progress: Progress,
): Promise<Record<N, string>> => toolchain().programs.ensure(names, progress);

/** Where each program would come from; changes nothing. */
export const inspectPrograms = <N extends ProgramName>(names: readonly N[]): Promise<readonly Located<N>[]> =>
  toolchain().programs.inspect(names);

/**
 * Paths of Pulumi's own provider plugins, those that can be had: installed ones, else downloaded ones. A download that
 * fails is tried again after a day.
 */
export const findOptionalPlugins = (progress: Progress): Promise<Partial<Record<PluginName, string>>> =>
  toolchain().findPlugins(progress);
