import { mkdir, watch } from 'node:fs/promises';
import { join } from 'node:path';
import { tryExec } from '../common/exec.ts';
import { Failure } from '../common/failure.ts';
import { fullDiskFailure, places, saysFullDisk } from './diskSpace.ts';
import { type Go, type GoPlan, goEnvironment } from './go.ts';
import { allOnPath } from './locate.ts';
import type { Architecture, GoBuild, Program } from './recipe.ts';
import type { Made } from './release.ts';

/** What every run of Go for one group shares. */
export interface GoRun {
  readonly plan: GoPlan & { readonly kind: 'use' };
  readonly arch: Architecture;
  /** Folder with the go.mod. */
  readonly moduleDir: string;
  /** The toolchain's cache folder. */
  readonly cache: string;
  /** A folder of this run alone, in the cache. */
  readonly work: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/**
 * Arguments of `go build`. Neither the compiler's nor the linker's debug information is made: it is a tenth of the
 * compiler's work and a fifth of the build cache, and no part of a stripped program.
 * @param out a file for one package; a folder, with a slash at its end, for several.
 */
export const goBuildArguments = (build: GoBuild, packages: readonly string[], out: string): readonly string[] => {
  const variables = Object.entries(build.variables).map(([name, value]) => `-X ${name}=${value}`);
  return [
    'build',
    '-trimpath',
    '-gcflags=all=-dwarf=false',
    `-ldflags=${['-s', '-w', ...variables].join(' ')}`,
    ...(build.tags.length > 0 ? [`-tags=${build.tags.join(',')}`] : []),
    '-o',
    out,
    ...packages,
  ];
};

/**
 * How many groups are built beside each other. One `go build` leaves a core idle while it links or waits for a long
 * chain of packages; two fill it, but each takes up to 3 GB while it links.
 * @param memory of this machine, in bytes.
 */
export const buildsAtOnce = (memory: number): number => (memory >= 8e9 ? 2 : 1);

/** What the end of Go's output means to a user. */
export const explainGo = (output: string, go: Go, needed: string): { readonly got: string; readonly next: string } => {
  const got = output.trim().split('\n').slice(-12).join('\n    ');
  if (/signal: killed/.test(output)) {
    return {
      got,
      next: 'the compiler was killed, most likely for want of memory: free 3 GB, then run again; what is built already is kept',
    };
  }
  if (/toolchain not available|requires go >=|download go\d/.test(output)) {
    return {
      got,
      next: `Go ${go.version} is too old and could not fetch Go ${needed} by itself: install it from https://go.dev/dl`,
    };
  }
  if (
    /dial tcp|no such host|i\/o timeout|connection re(fused|set)|TLS handshake|x509:|unrecognized import path/.test(
      output,
    )
  ) {
    return {
      got,
      next: `the Go module proxy must be reachable ('${go.path} env GOPROXY' tells which one is asked): check the network or set GOPROXY, then run again`,
    };
  }
  return { got, next: 'run again; if it stays, report it with this output' };
};

const programsPackages = (programs: readonly Program[]): readonly string[] =>
  programs.map(({ name, package: path }) => {
    if (path === undefined) throw new Error(`the table of programs has no Go package for ${name}`);
    return path;
  });

/**
 * Runs Go in a module's folder and returns its standard output.
 * It is told to end when this process dies: else it would compile on beside the next run.
 * @throws Failure that explains what Go said.
 */
export const runGo = async (
  { plan, arch, moduleDir, cache, work, env, signal }: GoRun,
  build: { readonly cgo: boolean },
  tried: string,
  args: readonly string[],
  needed: string,
): Promise<string> => {
  const temporary = join(work, 'go-tmp');
  await mkdir(temporary, { recursive: true });
  const [setpriv] = await allOnPath('setpriv', env);
  const command = [...(setpriv ? [setpriv, '--pdeathsig', 'INT'] : []), plan.go.path, ...args];
  const result = await tryExec(command[0] ?? plan.go.path, command.slice(1), {
    cwd: moduleDir,
    env: goEnvironment(env, plan, arch, build.cgo, temporary),
    signal,
  });
  if (result.code === 0) return result.stdout;
  const output = result.stderr || result.stdout;
  if (saysFullDisk(output)) throw await fullDiskFailure(tried, places(cache, plan.go));
  throw new Failure({ tried, ...explainGo(output, plan.go, needed) });
};

/** Downloads the sources of all that the programs import, so that a build of something else can go on meanwhile. */
export const fetchSources = async (
  run: GoRun,
  build: GoBuild,
  programs: readonly Program[],
  needed: string,
): Promise<void> => {
  const args = ['list', '-deps', ...(build.tags.length > 0 ? [`-tags=${build.tags.join(',')}`] : [])];
  const tried = `fetch the sources of ${programs.map(({ name }) => name).join(', ')}`;
  await runGo(run, build, tried, [...args, ...programsPackages(programs)], needed);
};

/** Tells the names of files as they appear in a folder, until the signal. */
const watchFolder = async (folder: string, signal: AbortSignal, onFile: (name: string) => void): Promise<void> => {
  try {
    for await (const { filename } of watch(folder, { signal })) if (filename !== null) onFile(filename);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};

/**
 * Builds programs of a group by one `go build`, which overlaps the linking of one with the compiling of another.
 * @param onLinked called with each program's name as it appears.
 */
export const goBuild = async (
  run: GoRun,
  build: GoBuild,
  programs: readonly Program[],
  needed: string,
  onLinked: (name: string) => void,
): Promise<Made> => {
  const out = join(run.work, 'built');
  await mkdir(out);
  const [only] = programs;
  const target = programs.length === 1 && only ? join(out, only.name) : `${out}/`;
  const names = programs.map(({ name }) => name);
  const ended = new AbortController();
  const linked = new Set<string>();
  const watching = watchFolder(out, ended.signal, (name) => {
    if (names.includes(name) && !linked.has(name)) onLinked(name);
    linked.add(name);
  });
  try {
    const args = goBuildArguments(build, programsPackages(programs), target);
    await runGo(run, build, `build ${names.join(', ')} from source`, args, needed);
  } finally {
    ended.abort();
    await watching;
  }
  return new Map(names.map((name) => [name, join(out, name)]));
};
