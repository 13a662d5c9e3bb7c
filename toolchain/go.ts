import { tryExec } from '../common/exec.ts';
import { allOnPath, isExecutableFile } from './locate.ts';
import type { Architecture } from './recipe.ts';
import { compareVersions } from './version.ts';

/** A Go on this machine. */
export interface Go {
  readonly path: string;
  readonly version: string;
  /** Go's build cache and the folder of module sources. */
  readonly cache: string;
  readonly modules: string;
}

/** Which Go builds, and how it is told to. */
export type GoPlan =
  | { readonly kind: 'use'; readonly go: Go; readonly toolchain: 'local' | 'auto' }
  | { readonly kind: 'none'; readonly why: string };

/** From this version on, Go fetches a newer toolchain by itself (through the module proxy) when GOTOOLCHAIN is `auto`. */
const firstSelfUpgrading = '1.21.0';

/** A Go that is new enough as it is, else one that fetches the newer toolchain that a go.mod asks for. */
export const planGo = (found: readonly Go[], needed: string): GoPlan => {
  const newEnough = found.find(({ version }) => compareVersions(version, needed) >= 0);
  if (newEnough) return { kind: 'use', go: newEnough, toolchain: 'local' };
  const upgrading = found.find(({ version }) => compareVersions(version, firstSelfUpgrading) >= 0);
  if (upgrading) return { kind: 'use', go: upgrading, toolchain: 'auto' };
  const [old] = found;
  return { kind: 'none', why: old ? `${old.path} is Go ${old.version}, too old for Go ${needed}` : 'no Go found' };
};

/** The Go version that a go.mod asks for. */
export const goVersionIn = (goMod: string): string => /^go\s+(\S+)/m.exec(goMod)?.[1] ?? firstSelfUpgrading;

/**
 * Every Go on PATH and in other places, with what it says of itself.
 * @param places executables that need not be there.
 */
export const findGo = async (env: NodeJS.ProcessEnv, places: readonly string[]): Promise<readonly Go[]> => {
  const there = await Promise.all(places.map(isExecutableFile));
  const paths = new Set([...(await allOnPath('go', env)), ...places.filter((_place, index) => there[index])]);
  const asked = await Promise.all(
    [...paths].map(async (path): Promise<Go | undefined> => {
      const args = ['env', 'GOVERSION', 'GOCACHE', 'GOMODCACHE'];
      const answer = await tryExec(path, args, { cwd: '/', env: { ...env, GOTOOLCHAIN: 'local' } }).catch(
        () => undefined,
      );
      const [version, cache, modules] = answer?.stdout.split('\n') ?? [];
      if (answer?.code !== 0 || !version || !cache || !modules) return undefined;
      return { path, version: version.replace(/^go/, ''), cache, modules };
    }),
  );
  return asked.filter((go) => go !== undefined);
};

/**
 * Go's environment for a build that depends on nothing of the user's own settings but proxies and caches.
 * @param temporary where Go, and the C compiler that it may call, keep what must not outlive the run.
 */
export const goEnvironment = (
  env: NodeJS.ProcessEnv,
  plan: GoPlan & { readonly kind: 'use' },
  arch: Architecture,
  cgo: boolean,
  temporary: string,
): NodeJS.ProcessEnv => ({
  ...env,
  GOTOOLCHAIN: plan.toolchain,
  GOTMPDIR: temporary,
  TMPDIR: temporary,
  GO111MODULE: 'on',
  GOFLAGS: '',
  GOWORK: 'off',
  GOOS: 'linux',
  GOARCH: arch,
  CGO_ENABLED: cgo ? '1' : '0',
});
