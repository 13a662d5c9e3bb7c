import { readdir, readFile, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasCode } from '../common/failure.ts';
import { waitFor } from '../common/waitFor.ts';

/** A mounted cgroup hierarchy: one on v2, one per controller on v1, both kinds on a hybrid machine. */
export interface CgroupHierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
  /** v1: what to mount it again with, `memory` or `cpu,cpuacct` or `none,name=systemd`; v2: empty. */
  readonly options: string;
}

/** Mount options that say nothing of which hierarchy it is. */
const commonOptions = new Set([
  'rw',
  'ro',
  'nosuid',
  'nodev',
  'noexec',
  'relatime',
  'noatime',
  'seclabel',
  'xattr',
  'clone_children',
]);

/** The hierarchies below `/sys/fs/cgroup` of a `/proc/mounts`, in its order. */
export const parseHierarchies = (mounts: string): readonly CgroupHierarchy[] =>
  mounts.split('\n').flatMap((line): CgroupHierarchy[] => {
    const [, mountPoint = '', type, flags = ''] = line.split(' ');
    if (!mountPoint.startsWith('/sys/fs/cgroup')) return [];
    if (type === 'cgroup2') return [{ mountPoint, version: 2, options: '' }];
    if (type !== 'cgroup') return [];
    const options = flags.split(',').filter((flag) => !commonOptions.has(flag) && !flag.startsWith('release_agent='));
    return [
      { mountPoint, version: 1, options: options.map((it) => (it.startsWith('name=') ? `none,${it}` : it)).join(',') },
    ];
  });

export const machineHierarchies = async (): Promise<readonly CgroupHierarchy[]> =>
  parseHierarchies(await readFile('/proc/mounts', 'utf8'));

const clusterGroup = (hierarchy: CgroupHierarchy, id: string): string => join(hierarchy.mountPoint, `understudy-${id}`);
const boxGroup = (hierarchy: CgroupHierarchy, id: string, node: string): string =>
  join(clusterGroup(hierarchy, id), node);

/** v2 allows processes in the leaves only, once controllers are on: those of the box itself live in this one. */
const leaf = 'init';

/**
 * Shell lines that put the shell into the cgroups of a box. After them a new cgroup namespace has the box's cgroup as
 * its root; {@link settleInLeaf} comes next.
 */
export const joinBoxCgroups = (hierarchies: readonly CgroupHierarchy[], id: string, node: string): readonly string[] =>
  hierarchies.flatMap((hierarchy) => {
    const cluster = clusterGroup(hierarchy, id);
    const box = boxGroup(hierarchy, id, node);
    if (hierarchy.version === 2) {
      return [
        `mkdir -p ${box}/${leaf}`,
        `for group in ${hierarchy.mountPoint} ${cluster}; do for controller in $(cat $group/cgroup.controllers); do echo +$controller > $group/cgroup.subtree_control || true; done; done`,
        `echo $$ > ${box}/cgroup.procs`,
      ];
    }
    const inherit = hierarchy.options.split(',').includes('cpuset')
      ? [
          `for group in ${cluster} ${box}; do for file in cpuset.cpus cpuset.mems; do cat $group/../$file > $group/$file; done; done`,
        ]
      : [];
    return [`mkdir -p ${box}`, ...inherit, `echo $$ > ${box}/cgroup.procs`];
  });

/** Shell lines, after the new cgroup namespace: out of the box's root group, so that controllers can be switched on in it. */
export const settleInLeaf = (hierarchies: readonly CgroupHierarchy[], id: string, node: string): readonly string[] =>
  hierarchies
    .filter((hierarchy) => hierarchy.version === 2)
    .map((hierarchy) => `echo $$ > ${boxGroup(hierarchy, id, node)}/${leaf}/cgroup.procs`);

/** Shell lines that mount, below the box's new root at `.`, the same hierarchies as the machine has. */
export const mountBoxCgroups = (hierarchies: readonly CgroupHierarchy[]): readonly string[] => {
  const [only] = hierarchies;
  if (hierarchies.length === 1 && only?.version === 2) {
    return [
      'mount -t cgroup2 cgroup2 sys/fs/cgroup',
      'for controller in $(cat sys/fs/cgroup/cgroup.controllers); do echo +$controller > sys/fs/cgroup/cgroup.subtree_control; done',
    ];
  }
  return [
    'mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup',
    ...hierarchies.flatMap((hierarchy) => {
      const at = `sys/fs/cgroup/${basename(hierarchy.mountPoint)}`;
      const mount =
        hierarchy.version === 2
          ? `mount -t cgroup2 cgroup2 ${at}`
          : `mount -t cgroup -o ${hierarchy.options} cgroup ${at}`;
      return [`mkdir ${at}`, mount];
    }),
  ];
};

const foldersBelow = async (path: string): Promise<readonly string[]> => {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};

/** A group and all below it, the deepest first. */
const groupsFrom = async (path: string): Promise<readonly string[]> => {
  const below = await Promise.all((await foldersBelow(path)).map(groupsFrom));
  return [...below.flat(), path];
};

const processesIn = async (group: string): Promise<readonly number[]> => {
  try {
    return (await readFile(join(group, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean).map(Number);
  } catch (error) {
    // ENODEV: the group went while it was read.
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENODEV')) return [];
    throw error;
  }
};

/** Where a box's processes are counted: any hierarchy does, since whatever a box starts stays below its group in all. */
const tracking = (hierarchies: readonly CgroupHierarchy[]): readonly CgroupHierarchy[] =>
  hierarchies
    .filter((hierarchy) => hierarchy.version === 2)
    .slice(0, 1)
    .concat(hierarchies.slice(0, 1))
    .slice(0, 1);

/** The names of a cluster's boxes that have, or had, processes: the kernel's word, whatever files say. */
export const knownBoxes = async (id: string): Promise<readonly string[]> => {
  const [hierarchy] = tracking(await machineHierarchies());
  if (hierarchy === undefined) return [];
  return (await foldersBelow(clusterGroup(hierarchy, id))).map((path) => basename(path));
};

/** Process ids, as the machine sees them, of all that runs in a box. */
export const boxProcesses = async (id: string, node: string): Promise<readonly number[]> => {
  const [hierarchy] = tracking(await machineHierarchies());
  if (hierarchy === undefined) return [];
  const groups = await groupsFrom(boxGroup(hierarchy, id, node));
  return [...new Set((await Promise.all(groups.map(processesIn))).flat())];
};

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
};

const removeGroup = async (group: string): Promise<void> => {
  try {
    await rmdir(group);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
};

/** Ends every process of a box and waits until they are gone, then removes its cgroups. Nothing to do where there are none. */
export const killBox = async (id: string, node: string): Promise<void> => {
  await waitFor(
    async () => {
      const pids = await boxProcesses(id, node);
      for (const pid of pids) kill(pid);
      return pids.length === 0 ? true : undefined;
    },
    {
      what: `the end of all processes of ${node}`,
      timeoutMs: 20_000,
      intervalMs: 20,
      next: "look for processes in state D with 'ps axo pid,stat,cmd'; run the command again when they are gone",
    },
  );
  for (const hierarchy of await machineHierarchies()) {
    const box = boxGroup(hierarchy, id, node);
    await waitFor(
      async () => {
        for (const group of await groupsFrom(box)) await removeGroup(group);
        return true;
      },
      {
        what: `the removal of cgroup ${box}`,
        timeoutMs: 10_000,
        intervalMs: 20,
        next: `look at 'cat ${box}/cgroup.procs'`,
      },
    );
  }
};

/** Removes what is left of a cluster's cgroups once its boxes are gone. */
export const removeClusterCgroups = async (id: string): Promise<void> => {
  for (const hierarchy of await machineHierarchies()) await removeGroup(clusterGroup(hierarchy, id));
};

/** What to do where a box would lack a controller. */
export const mendCgroups = 'mount them, or, in a container, start that container with --privileged --cgroupns=host';

/** Which needed controllers a box would not get: none, unless this is itself a container with its own cgroup namespace. */
export const missingControllers = async (hierarchies: readonly CgroupHierarchy[]): Promise<readonly string[]> => {
  const unified = hierarchies.find((hierarchy) => hierarchy.version === 2);
  const onUnified = unified === undefined ? '' : await readFile(join(unified.mountPoint, 'cgroup.controllers'), 'utf8');
  const available = new Set([
    ...onUnified.trim().split(' '),
    ...hierarchies.flatMap((hierarchy) => hierarchy.options.split(',')),
  ]);
  return ['cpu', 'cpuset', 'memory', 'pids'].filter((controller) => !available.has(controller));
};
