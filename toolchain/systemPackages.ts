import { access, readdir } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { tryExec } from '../common/exec.ts';
import { Failure } from '../common/failure.ts';
import { readFileIfThere } from '../common/files.ts';
import type { Progress } from '../common/progress.ts';
import { allOnPath } from './locate.ts';
import type { BuildPackage } from './recipe.ts';

/** A Debian package and what shows that its content is there, whoever installed it. */
export interface SystemPackage {
  readonly name: string;
  /** All of these commands… */
  readonly commands?: readonly string[];
  /** …and any one of these files. */
  readonly anyFile?: readonly string[];
}

/** What boxes and their network are made with. */
export const runPackages: readonly SystemPackage[] = [
  { name: 'iptables', commands: ['iptables', 'iptables-save', 'iptables-restore'] },
  { name: 'iproute2', commands: ['ip'] },
  { name: 's6', commands: ['s6-svscan', 's6-svc'] },
  { name: 'util-linux', commands: ['unshare', 'nsenter', 'flock', 'setpriv'] },
  { name: 'mount', commands: ['mount', 'umount'] },
];

const buildPackages: Readonly<Record<BuildPackage, Omit<SystemPackage, 'name'>>> = {
  // Where Go itself looks for certificate authorities (crypto/x509/root_linux.go).
  'ca-certificates': {
    anyFile: [
      '/etc/ssl/certs/ca-certificates.crt',
      '/etc/pki/tls/certs/ca-bundle.crt',
      '/etc/ssl/ca-bundle.pem',
      '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
      '/etc/ssl/cert.pem',
    ],
  },
  gcc: { commands: ['gcc'] },
  'libc6-dev': { anyFile: ['/usr/include/stdlib.h'] },
  'libseccomp-dev': { anyFile: ['/usr/include/seccomp.h'] },
  'pkg-config': { commands: ['pkg-config'] },
};

export const buildPackagesNamed = (names: readonly BuildPackage[]): readonly SystemPackage[] =>
  names.map((name) => ({ name, ...buildPackages[name] }));

/** What was seen of this machine. */
export interface SystemFacts {
  readonly root: boolean;
  /** Debian or a system made from it. */
  readonly debian: boolean;
  /** Whether apt knows any package yet; in a fresh container image it does not. */
  readonly aptLists: boolean;
  /** Those of the asked commands and files that are there. */
  readonly present: ReadonlySet<string>;
}

/** What to do about packages that are missing. */
export type InstallPlan =
  | { readonly kind: 'nothing' }
  | {
      /** `up` installs them by itself. */
      readonly kind: 'install';
      readonly names: readonly string[];
      /** Whether the lists of packages must be fetched first. */
      readonly update: boolean;
      /** The same, to be typed. */
      readonly next: string;
    }
  | {
      readonly kind: 'ask';
      readonly names: readonly string[];
      /** Why this process may not install them. */
      readonly got: string;
      readonly next: string;
    };

/** Whether an os-release file (os-release(5)) is of Debian, Ubuntu or a relative. */
export const isDebian = (osRelease: string): boolean =>
  [...osRelease.matchAll(/^ID(?:_LIKE)?=["']?([^"'\n]*)/gm)].some(([, ids]) =>
    ids?.split(/\s+/).some((id) => id === 'debian' || id === 'ubuntu'),
  );

/** Those packages whose content is not there. */
export const missingPackages = (
  packages: readonly SystemPackage[],
  present: ReadonlySet<string>,
): readonly SystemPackage[] =>
  packages.filter(
    ({ commands = [], anyFile }) =>
      !commands.every((command) => present.has(command)) ||
      (anyFile !== undefined && !anyFile.some((file) => present.has(file))),
  );

export const installCommand = (names: readonly string[]): string =>
  `apt-get update && apt-get install -y --no-install-recommends ${names.join(' ')}`;

/** Installs where it may, else tells what to type. */
export const planInstall = (missing: readonly SystemPackage[], facts: SystemFacts): InstallPlan => {
  if (missing.length === 0) return { kind: 'nothing' };
  const names = missing.map(({ name }) => name);
  if (!facts.debian) {
    const lacking = missing.flatMap(({ commands = [], anyFile: [file] = [] }) => [
      ...commands,
      ...(file ? [file] : []),
    ]);
    const needed = lacking.filter((item) => !facts.present.has(item)).join(', ');
    const next = `install these with this system's package manager: ${needed} (in Debian they are in ${names.join(', ')})`;
    return { kind: 'ask', names, got: 'this system is neither Debian nor Ubuntu, whose package names are known', next };
  }
  if (!facts.root) return { kind: 'ask', names, got: 'this needs root', next: `sudo sh -c '${installCommand(names)}'` };
  return { kind: 'install', names, update: !facts.aptLists, next: installCommand(names) };
};

/** Programs of an administrator are not on every user's PATH in Debian. */
const administratorFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

const isThere = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Looks, and changes nothing. */
export const observeSystem = async (
  packages: readonly SystemPackage[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<SystemFacts> => {
  const PATH = [env.PATH ?? '', ...administratorFolders].join(delimiter);
  const items = [
    ...packages
      .flatMap(({ commands = [] }) => commands)
      .map(async (command) => {
        return (await allOnPath(command, { PATH })).length > 0 ? command : undefined;
      }),
    ...packages.flatMap(({ anyFile = [] }) => anyFile).map(async (file) => ((await isThere(file)) ? file : undefined)),
  ];
  const lists = await readdir('/var/lib/apt/lists').catch(() => []);
  return {
    root: process.getuid?.() === 0,
    debian: isDebian((await readFileIfThere('/etc/os-release')) ?? ''),
    aptLists: lists.some((name) => name.includes('_Packages')),
    present: new Set((await Promise.all(items)).filter((item) => item !== undefined)),
  };
};

const apt = (args: readonly string[], env: NodeJS.ProcessEnv) =>
  // Another apt, such as the nightly one of the system, holds the lock for a while.
  tryExec('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1', LC_ALL: 'C.UTF-8' },
  }).catch((error: Error) => ({ code: 127, stdout: '', stderr: error.message }));

/**
 * Installs Debian packages; lists of packages that are missing or too old are fetched first.
 * @throws Failure with the end of what apt-get said.
 */
export const aptInstall = async (
  names: readonly string[],
  update: boolean,
  progress: Progress,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> => {
  const install = () => apt(['install', '-y', '--no-install-recommends', ...names], env);
  await progress.phase(`install Debian packages: ${names.join(', ')}`, async () => {
    const first = update ? undefined : await install();
    if (first?.code === 0) return;
    const updated = await apt(['update'], env);
    const second = updated.code === 0 ? await install() : updated;
    if (second.code === 0) return;
    throw new Failure({
      tried: `install ${names.join(', ')}`,
      got: `apt-get: ${(second.stderr || second.stdout).trim().split('\n').slice(-5).join('\n    ')}`,
      next: installCommand(names),
    });
  });
};

/** What `installMissing` would do; changes nothing. */
export const inspectSystem = async (
  packages: readonly SystemPackage[] = runPackages,
  env: NodeJS.ProcessEnv = process.env,
): Promise<InstallPlan> => {
  const facts = await observeSystem(packages, env);
  return planInstall(missingPackages(packages, facts.present), facts);
};

/**
 * Installs those of the packages that are missing, where this process may.
 * @throws Failure with the command to type where it may not (not root, not Debian), or where apt-get fails.
 */
export const installMissing = async (
  progress: Progress,
  packages: readonly SystemPackage[] = runPackages,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> => {
  const plan = await inspectSystem(packages, env);
  if (plan.kind === 'nothing') return;
  if (plan.kind === 'install') return aptInstall(plan.names, plan.update, progress, env);
  const { names, got, next } = plan;
  throw new Failure({ tried: `go on without ${names.join(', ')}`, got, next });
};
