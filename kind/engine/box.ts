import { type CgroupHierarchy, joinBoxCgroups, mountBoxCgroups, settleInLeaf } from '../../cluster/cgroups.ts';
import { shellQuote } from '../../common/shellQuote.ts';

/** Where an engine keeps what. */
export interface EnginePlaces {
  /** Names its cgroups; see `killBox`. */
  readonly id: string;
  readonly dir: string;
  /** Where Debian's packages are unpacked. */
  readonly packages: string;
}

/** The name of an engine's one box. */
export const engineBox = 'engine';

/** Folders of programs and of libraries, those of the packages first. */
export const searchPaths = (packages: string): { readonly programs: string; readonly libraries: string } => ({
  programs: `${packages}/usr/sbin:${packages}/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  libraries: ['x86_64', 'aarch64']
    .flatMap((arch) => [`${packages}/lib/${arch}-linux-gnu`, `${packages}/usr/lib/${arch}-linux-gnu`])
    .join(':'),
});

/**
 * An OCI runtime that is runc, without a capability that this machine's processes can never have: runc would refuse a
 * privileged container. It stands in the container's `config.json` and in the file of `exec`'s process.
 */
export const renderRuntime = (runc: string): string => `#!/bin/bash
set -eu
strip() { [ ! -f "$1" ] || sed -i 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g' "$1"; }
previous=
for word in "$@"; do
  case $previous in
    --bundle|-b) strip "$word/config.json" ;;
    --process|-p) strip "$word" ;;
  esac
  previous=$word
done
exec ${shellQuote(runc)} "$@"
`;

/** The shell program that becomes an engine's box: cgroups and namespaces first, then the script at `initPath` in them. */
export const renderEnter = (
  { id }: EnginePlaces,
  hierarchies: readonly CgroupHierarchy[],
  initPath: string,
): string => {
  const inLeaf = [
    'set -eu',
    ...settleInLeaf(hierarchies, id, engineBox),
    `exec unshare --mount --net --pid --fork --uts --ipc --kill-child=KILL bash --norc ${shellQuote(initPath)}`,
  ].join('\n');
  return [
    'set -eu',
    ...joinBoxCgroups(hierarchies, id, engineBox),
    `exec unshare --cgroup bash --norc -c ${shellQuote(inLeaf)}`,
  ].join('\n');
};

/** What an engine adds to its box. */
export interface BoxContent {
  /** Commands before the network is up. */
  readonly prepare: readonly string[];
  /** What runs under tini, which reaps what containers leave, as words of a shell. */
  readonly main: readonly string[];
}

/**
 * What the first process of the box does: a file system of its own where it matters, a network with nothing but a
 * loopback, then what the engine is.
 */
export const renderInit = (
  { dir, packages }: EnginePlaces,
  hierarchies: readonly CgroupHierarchy[],
  { prepare, main }: BoxContent,
): string => {
  const { programs, libraries } = searchPaths(packages);
  return [
    'set -eu',
    'exec < /dev/null',
    'mount --make-rprivate /',
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
    'mount -t sysfs -o nosuid,nodev,noexec sysfs /sys',
    'mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run',
    'cd /',
    ...mountBoxCgroups(hierarchies),
    ...prepare,
    'ip link set lo up',
    'hostname understudy-engine',
    `exec env -i PATH=${shellQuote(programs)} LD_LIBRARY_PATH=${shellQuote(libraries)} HOME=${shellQuote(dir)} tini -- ${main.join(' ')}`,
    '',
  ].join('\n');
};
