import { totalmem } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../common/failure.ts';
import { cacheDir } from '../common/paths.ts';
import type { Progress } from '../common/progress.ts';
import { createDownloader, parseMirror } from './download.ts';
import { findGo, type GoPlan, goVersionIn, planGo } from './go.ts';
import { buildsAtOnce } from './goBuild.ts';
import { type KindBaseName, kindBase, kindBaseNames } from './kindBase.ts';
import { type KwokStageName, kwokStageNames, kwokStages } from './kwokStages.ts';
import type { Located } from './locate.ts';
import { type CrdName, crdNames, openShiftCrds } from './openshift.ts';
import { findPlugins } from './plugins.ts';
import { groupsFor, type PluginName, type ProgramName, pluginsFor } from './programs.ts';
import type { Architecture, Group } from './recipe.ts';
import { readPins } from './store.ts';
import { buildPackagesNamed, type InstallPlan, inspectSystem } from './systemPackages.ts';
import { createToolchain } from './toolchain.ts';
import { compareVersions } from './version.ts';

export type { Located } from './locate.ts';
export type { CrdName } from './openshift.ts';
export type { PluginName, ProgramName } from './programs.ts';
export { inspectSystem, installMissing, runPackages } from './systemPackages.ts';

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

const modulesDir = join(import.meta.dirname, 'modules');
/** Where Go's own archive is unpacked to; sudo and cron have a PATH without it. */
const goPlaces = ['/usr/local/go/bin/go'];

const create = () => {
  const arch = thisArchitecture();
  const cache = join(cacheDir(), 'toolchain');
  const shared = {
    arch,
    cache,
    modulesDir,
    env: process.env,
    downloader: createDownloader({ mirror: parseMirror(process.env.UNDERSTUDY_DOWNLOAD_MIRROR) }),
    goPlaces,
    buildsAtOnce: buildsAtOnce(totalmem()),
  };
  const plugins = pluginsFor(arch);
  return {
    programs: createToolchain<ProgramName>({ ...shared, groups: groupsFor(arch) }),
    crds: createToolchain<CrdName>({ ...shared, groups: [openShiftCrds] }),
    stages: createToolchain<KwokStageName>({ ...shared, groups: [kwokStages] }),
    kindBase: createToolchain<KindBaseName>({ ...shared, groups: [kindBase] }),
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
 * Absolute paths of YAML files: OpenShift's custom resource definitions for encryption, from github.com/openshift/api as
 * `modules/openshift/go.mod` pins it. Taken from the cache, else downloaded, else out of the Go module.
 * @throws Failure that says what was tried and what to do.
 */
export const ensureOpenShiftCrds = async (progress: Progress): Promise<readonly string[]> => {
  const paths = await toolchain().crds.ensure(crdNames, progress);
  return crdNames.map((name) => paths[name]);
};

/**
 * Absolute paths of kwok's stages ({@link kwokStages}), got as the definitions are.
 * @throws Failure that says what was tried and what to do.
 */
export const ensureKwokStages = async (progress: Progress): Promise<readonly string[]> => {
  const paths = await toolchain().stages.ensure(kwokStageNames, progress);
  return kwokStageNames.map((name) => paths[name]);
};

/**
 * Absolute paths of the files that make a Debian a kind node ({@link kindBase}), got as the definitions are.
 * @throws Failure that says what was tried and what to do.
 */
export const ensureKindBase = (progress: Progress): Promise<Readonly<Record<KindBaseName, string>>> =>
  toolchain().kindBase.ensure(kindBaseNames, progress);

/** Where each of those definitions would come from; changes nothing. */
export const inspectOpenShiftCrds = (): Promise<readonly Located<CrdName>[]> => toolchain().crds.inspect(crdNames);

/** What building programs on this machine takes. */
export interface BuildNeeds {
  /** The Go that would build them, or why none can. */
  readonly go: GoPlan;
  /** The oldest Go that can, `1.26.0`. */
  readonly goVersion: string;
  /** System packages that only building needs. */
  readonly packages: InstallPlan;
}

/** What building these programs would take where they cannot be downloaded; changes nothing. */
export const inspectBuild = async (names: readonly (ProgramName | CrdName)[]): Promise<BuildNeeds> => {
  const groups: readonly Group[] = [...groupsFor(thisArchitecture()), openShiftCrds];
  const builds = groups
    .filter(({ programs }) => programs.some(({ name }) => names.some((wanted) => wanted === name)))
    .flatMap(({ build }) => build ?? []);
  const pins = await Promise.all(builds.map(({ module }) => readPins(join(modulesDir, module))));
  const [goVersion = ''] = pins.map(goVersionIn).toSorted((a, b) => compareVersions(b, a));
  const packages = buildPackagesNamed([...new Set(builds.flatMap((build) => build.packages))]);
  const go = planGo(await findGo(process.env, goPlaces), goVersion);
  return { go, goVersion, packages: await inspectSystem(packages) };
};

/**
 * Paths of Pulumi's own provider plugins, those that can be had: installed ones, else downloaded ones. A download that
 * fails is tried again after a day.
 */
export const findOptionalPlugins = (progress: Progress): Promise<Partial<Record<PluginName, string>>> =>
  toolchain().findPlugins(progress);
