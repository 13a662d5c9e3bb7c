import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExecResult, exec, tryExec } from '../../common/exec.ts';
import { findGo, goEnvironment, planGo } from '../../toolchain/go.ts';
import type { Group } from '../../toolchain/recipe.ts';
import { arch, ensureTools, goPlaces, toolsDir } from '../tools/ensure.ts';

const version = '3.16.0';
/** What the go.mod pins: Prometheus numbers its releases so as a Go module. */
export const pinnedModule = 'github.com/prometheus/prometheus v0.316.0';
const release = `https://github.com/prometheus/prometheus/releases/download/v${version}`;

const program = <N extends string>(name: N) => ({
  name,
  asks: { args: ['--version'], says: [`${name}, version`] as const },
  release: {
    url: `${release}/prometheus-${version}.linux-${arch}.tar.gz`,
    checksumsUrl: `${release}/sha256sums.txt`,
  },
  package: `github.com/prometheus/prometheus/cmd/${name}`,
});

const prometheus = {
  name: 'prometheus',
  version,
  programs: [program('promtool'), program('prometheus')],
  build: {
    kind: 'go',
    module: 'prometheus',
    cgo: false,
    // Without all but one of the ways to find targets it is built in half the time. Debian's has none of the ways through an API server.
    tags: ['remove_all_sd', 'enable_kubernetes_sd'],
    variables: { 'github.com/prometheus/common/version.Version': version },
    packages: ['ca-certificates'],
  },
} as const satisfies Group;

export const ensurePrometheus = (): Promise<Readonly<Record<'promtool' | 'prometheus', string>>> =>
  ensureTools<'promtool' | 'prometheus'>(prometheus);

/** Builds test/tools/dashboard, which reads dashboards by Grafana's published schema; Go's cache makes that a matter of a second the next time. */
export const buildDashboardReader = async (): Promise<{
  /** A line for each thing that is wrong. */
  read(path: string): Promise<ExecResult>;
  remove(): Promise<void>;
}> => {
  const plan = planGo(await findGo(process.env, goPlaces), '1.26.0');
  if (plan.kind === 'none') throw new Error(`the test needs Go 1.26 or newer: ${plan.why}`);
  const dir = await mkdtemp(join(tmpdir(), 'dashboard-reader-'));
  const path = join(dir, 'dashboard');
  await exec(plan.go.path, ['build', '-trimpath', '-o', path, '.'], {
    cwd: join(toolsDir, 'dashboard'),
    env: goEnvironment(process.env, plan, arch, false, dir),
    next: `see that '${plan.go.path} env GOPROXY' can be reached`,
  });
  return {
    read: (dashboard) => tryExec(path, [dashboard]),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
};
