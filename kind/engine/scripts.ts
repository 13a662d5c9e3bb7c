import { type CgroupHierarchy, joinBoxCgroups, mountBoxCgroups, settleInLeaf } from '../../cluster/cgroups.ts';

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

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const socketPath = (dir: string): string => `${dir}/docker.sock`;

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
exec ${quote(runc)} "$@"
`;

/** Docker's own configuration file. */
export const renderDaemonConfiguration = (runtime: string): string =>
  JSON.stringify({
    runtimes: { understudy: { path: runtime } },
    'default-runtime': 'understudy',
    // Nothing is ever to be pulled; a resolver would only be waited for.
    dns: ['127.0.0.1'],
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'log-driver': 'json-file',
  });

/** The shell program that becomes an engine's box: cgroups and namespaces first, then the script at `initPath` in them. */
export const renderEnter = (
  { id }: EnginePlaces,
  hierarchies: readonly CgroupHierarchy[],
  initPath: string,
): string => {
  const inLeaf = [
    'set -eu',
    ...settleInLeaf(hierarchies, id, engineBox),
    `exec unshare --mount --net --pid --fork --uts --ipc --kill-child=KILL bash --norc ${quote(initPath)}`,
  ].join('\n');
  return [
    'set -eu',
    ...joinBoxCgroups(hierarchies, id, engineBox),
    `exec unshare --cgroup bash --norc -c ${quote(inLeaf)}`,
  ].join('\n');
};

/**
 * What the first process of the box does: a file system of its own where it matters, a network with nothing but a
 * loopback, then dockerd under tini, which reaps what containers leave.
 */
export const renderInit = ({ dir, packages }: EnginePlaces, hierarchies: readonly CgroupHierarchy[]): string =>
  [
    'set -eu',
    'exec < /dev/null',
    'mount --make-rprivate /',
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
    'mount -t sysfs -o nosuid,nodev,noexec sysfs /sys',
    'mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run',
    'cd /',
    ...mountBoxCgroups(hierarchies),
    'ip link set lo up',
    'hostname understudy-engine',
    `exec env -i PATH=${quote(`${packages}/usr/sbin:${packages}/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`)} LD_LIBRARY_PATH=${quote(`${packages}/lib/x86_64-linux-gnu:${packages}/lib/aarch64-linux-gnu:${packages}/usr/lib/x86_64-linux-gnu`)} HOME=${quote(dir)} tini -- dockerd --config-file ${quote(`${dir}/daemon.json`)} --data-root ${quote(`${dir}/data`)} --exec-root /run/docker --pidfile /run/docker.pid --host ${quote(`unix://${socketPath(dir)}`)}`,
    '',
  ].join('\n');
