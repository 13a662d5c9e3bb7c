import { statfs } from 'node:fs/promises';
import { machineHierarchies, mendCgroups, missingControllers } from '../cluster/cgroups.ts';
import { tryExec } from '../common/exec.ts';
import { cacheDir, homeDir, projectDir } from '../common/paths.ts';
import { askEngines } from '../kind/cluster/engine.ts';
import {
  type CrdName,
  inspectBuild,
  inspectOpenShiftCrds,
  inspectPrograms,
  inspectSystem,
  type Located,
  runPackages,
} from '../toolchain/index.ts';
import { engineFinding } from './kind/engineFinding.ts';
import { type OutputOptions, printResult } from './output.ts';
import { stackPrograms } from './toolchain.ts';

/** One thing that `up` needs. */
export interface Finding {
  readonly what: string;
  /** `later`: it is missing, and `up` sees to it by itself. `optional`: it is missing, and not all stacks need it. */
  readonly state: 'ok' | 'later' | 'optional' | 'missing';
  readonly detail: string;
  /** What mends it. */
  readonly next?: string;
}

const gigabyte = 1e9;
/** A first build: programs 3 GB, and Go's own two caches, which are mostly on the same disk. */
const neededBytes = 12 * gigabyte;

const root = (): Finding =>
  process.getuid?.() === 0
    ? { what: 'root', state: 'ok', detail: 'yes' }
    : {
        what: 'root',
        state: 'missing',
        detail: 'boxes are namespaces, mounts and network interfaces',
        next: 'run as root: sudo --preserve-env=PATH npm run up',
      };

const packages = async (): Promise<Finding> => {
  const plan = await inspectSystem(runPackages);
  const what = 'system packages';
  if (plan.kind === 'nothing') return { what, state: 'ok', detail: runPackages.map(({ name }) => name).join(', ') };
  const detail = `missing: ${plan.names.join(', ')}`;
  if (plan.kind === 'install') return { what, state: 'later', detail: `${detail}; 'up' installs them` };
  return { what, state: 'missing', detail, next: plan.next };
};

const cgroups = async (): Promise<Finding> => {
  const hierarchies = await machineHierarchies();
  const missing = await missingControllers(hierarchies);
  const versions = [...new Set(hierarchies.map(({ version }) => `v${version}`))].join(' and ');
  if (missing.length === 0) return { what: 'cgroups', state: 'ok', detail: versions };
  return {
    what: 'cgroups',
    state: 'missing',
    detail: `no controller ${missing.join(', ')} below /sys/fs/cgroup`,
    next: mendCgroups,
  };
};

const namespaces = async (): Promise<Finding> => {
  const { code, stderr } = await tryExec('unshare', [
    '--mount',
    '--net',
    '--pid',
    '--uts',
    '--ipc',
    '--cgroup',
    '--fork',
    'true',
  ]).catch((error: Error) => ({ code: 1, stderr: error.message }));
  return code === 0
    ? { what: 'namespaces', state: 'ok', detail: 'mount, network, PID, UTS, IPC, cgroup' }
    : {
        what: 'namespaces',
        state: 'missing',
        detail: stderr.trim(),
        next: 'run as root, in a container with --privileged',
      };
};

const disk = async (what: string, dir: string): Promise<Finding> => {
  let at = dir;
  let space = await statfs(at).catch(() => undefined);
  while (space === undefined) {
    at = at.slice(0, at.lastIndexOf('/')) || '/';
    space = await statfs(at).catch(() => undefined);
  }
  const free = space.bavail * space.bsize;
  const detail = `${(free / gigabyte).toFixed(0)} GB free in ${dir}`;
  if (free >= neededBytes) return { what, state: 'ok', detail };
  return {
    what,
    state: 'missing',
    detail,
    next: `free ${neededBytes / gigabyte} GB, or set UNDERSTUDY_HOME and UNDERSTUDY_CACHE to a larger disk`,
  };
};

/** What building takes, where the programs that are missing cannot be downloaded. */
const building = async (
  missing: readonly ((typeof stackPrograms)[number] | CrdName)[],
): Promise<readonly Finding[]> => {
  if (missing.length === 0) return [];
  const { go, goVersion, packages: plan } = await inspectBuild(missing);
  const mendGo = `where downloads are not possible: install Go ${goVersion} or newer from https://go.dev/dl`;
  return [
    go.kind === 'use'
      ? { what: 'go', state: 'ok', detail: `${go.go.version} ${go.go.path}` }
      : { what: 'go', state: 'later', detail: go.why, next: mendGo },
    plan.kind === 'nothing'
      ? { what: 'packages to build', state: 'ok', detail: 'all there' }
      : {
          what: 'packages to build',
          state: 'later',
          detail: `missing: ${plan.names.join(', ')}`,
          ...(plan.kind === 'ask' ? { next: plan.next } : {}),
        },
  ];
};

const text = (findings: readonly Finding[]): string => {
  const mark = { ok: '✓', later: '·', optional: '·', missing: '✗' };
  const width = Math.max(...findings.map(({ what }) => what.length));
  const lines = findings.flatMap(({ what, state, detail, next }) => [
    `${mark[state]} ${what.padEnd(width)}  ${detail}`,
    ...(next === undefined ? [] : [`  ${' '.repeat(width)}  next: ${next}`]),
  ]);
  const lacking = findings.filter(({ state }) => state === 'missing').length;
  return [...lines, lacking === 0 ? "Ready for 'npm run up'." : `${lacking} to mend before 'npm run up'.`].join('\n');
};

/** OpenShift's custom resource definitions, which are got together. */
const definitions = (crds: readonly Located<CrdName>[]): Finding => {
  const missing = crds.some(({ source }) => source === 'missing');
  const version = crds[0]?.version ?? '';
  return {
    what: 'openshift-crds',
    state: missing ? 'later' : 'ok',
    detail: missing ? `${version}, 'up' downloads them` : `${version}: ${crds.map(({ name }) => name).join(', ')}`,
  };
};

/** Tells what this machine has and lacks; exit code 1 where `up` could not mend it by itself. */
export const doctor = async (options: OutputOptions): Promise<void> => {
  const [located, crds] = await Promise.all([inspectPrograms(stackPrograms), inspectOpenShiftCrds()]);
  const programs = located.map(
    (program): Finding => ({
      what: program.name,
      state: program.source === 'missing' ? 'later' : 'ok',
      detail:
        program.source === 'missing'
          ? `${program.version}, 'up' downloads or builds it`
          : `${program.version} ${program.path}`,
    }),
  );
  const findings: readonly Finding[] = [
    { what: 'node', state: 'ok', detail: `${process.version} of ${projectDir}` },
    root(),
    await packages(),
    await cgroups(),
    await namespaces(),
    await disk('disk', homeDir()),
    await disk('disk of the cache', cacheDir()),
    ...(await building([...located, ...crds].flatMap(({ name, source }) => (source === 'missing' ? [name] : [])))),
    ...programs,
    definitions(crds),
    engineFinding(await askEngines()),
  ];
  const missing = findings.some(({ state }) => state === 'missing');
  printResult(options, { ready: !missing, findings }, text(findings));
  if (missing) process.exitCode = 1;
};
