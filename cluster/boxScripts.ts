import { shellQuote } from '../common/shellQuote.ts';
import { type CgroupHierarchy, joinBoxCgroups, mountBoxCgroups, settleInLeaf } from './cgroups.ts';
import type { Component } from './components.ts';
import { configureBoxNetwork } from './network.ts';
import type { ClusterPlan, NodePlan } from './plan.ts';

/** A host path that a box sees at a path of its own, read-only. */
export interface Bind {
  readonly from: string;
  /** Relative to the box's root. */
  readonly to: string;
}

/** Values that the kubelet insists on; they belong to the whole machine, so the box only shows them. */
export const shownKernelSettings: ReadonlyMap<string, string> = new Map([
  ['vm/overcommit_memory', '1'],
  ['vm/panic_on_oom', '0'],
  ['kernel/panic', '10'],
  ['kernel/panic_on_oops', '1'],
  ['kernel/keys/root_maxkeys', '1000000'],
  ['kernel/keys/root_maxbytes', '25000000'],
]);

/** Where a box keeps the files that are shown instead of kernel settings. */
export const shownSettingPath = (setting: string): string => `etc/understudy/kernel/${setting.replaceAll('/', '.')}`;

/** The shell program that becomes a box: cgroups and namespaces first, then the script at `initPath` in them. */
export const renderEnterScript = (
  plan: ClusterPlan,
  node: NodePlan,
  hierarchies: readonly CgroupHierarchy[],
  initPath: string,
): string => {
  const inLeaf = [
    'set -eu',
    ...settleInLeaf(hierarchies, plan.id, node.name),
    `exec unshare --mount --net --pid --fork --uts --ipc --kill-child=KILL bash --norc ${shellQuote(initPath)}`,
  ].join('\n');
  return [
    'set -eu',
    ...joinBoxCgroups(hierarchies, plan.id, node.name),
    `exec unshare --cgroup bash --norc -c ${shellQuote(inLeaf)}`,
  ].join('\n');
};

/**
 * What the first process of a box does. It says its process id (as the machine sees it) on descriptor 3, waits for a
 * line on standard input that says its network card is there (an end of input ends the box), builds its own file
 * system, says `up`, and becomes the supervisor of the components.
 */
export const renderInitScript = (
  plan: ClusterPlan,
  node: NodePlan,
  root: string,
  binds: readonly Bind[],
  hierarchies: readonly CgroupHierarchy[],
): string =>
  [
    'set -eu',
    // Still the machine's /proc: it answers with the machine's number.
    'read -r pid rest < /proc/self/stat',
    'echo "$pid" >&3',
    'read -r go',
    'exec < /dev/null',
    'mount --make-rprivate /',
    `mount --bind ${shellQuote(root)} ${shellQuote(root)}`,
    `cd ${shellQuote(root)}`,
    'mount --rbind /dev dev',
    'mount -t proc -o nosuid,nodev,noexec proc proc',
    'mount -t sysfs -o nosuid,nodev,noexec sysfs sys',
    'mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run',
    ...mountBoxCgroups(hierarchies),
    ...binds.map((bind) => `mount --bind -o ro ${shellQuote(bind.from)} ${shellQuote(bind.to)}`),
    ...[...shownKernelSettings.keys()].map(
      (setting) => `[ ! -e proc/sys/${setting} ] || mount --bind ${shownSettingPath(setting)} proc/sys/${setting}`,
    ),
    `hostname ${node.name}`,
    ...configureBoxNetwork(plan, node),
    'pivot_root . mnt',
    'cd /',
    'umount --lazy /mnt',
    'mount --make-rshared /',
    'cp -r /etc/understudy/services /run/services',
    'echo up >&3',
    'exec 3>&-',
    'exec env -i PATH=/opt/understudy/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root s6-svscan /run/services',
    '',
  ].join('\n');

/** Garbage is collected at half the usual growth: a developer's cluster idles most of the time, and memory is what it takes then. */
const collectOften = 'export GOGC=50';

/** The `run` file of a component: bash for its /dev/tcp. */
export const renderRunFile = (component: Component): string =>
  [
    '#!/bin/bash',
    'exec 2>&1',
    collectOften,
    ...component.before,
    `exec ${component.command.map(shellQuote).join(' ')}`,
    '',
  ].join('\n');

/** Where a box keeps a component's log; `current` is the newest file. */
export const logFolder = (component: string): string => `var/log/understudy/${component}`;

/** The `run` file of a component's logger: four files of at most 4 MB. */
export const renderLogRunFile = (component: Component): string =>
  `#!/bin/bash\nmkdir -p /${logFolder(component.name)}\nexec s6-log -b n3 s4000000 /${logFolder(component.name)}\n`;
