import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { withLock } from '../common/lock.ts';
import type { Progress } from '../common/progress.ts';
import { killBox, knownBoxes, removeClusterCgroups } from './cgroups.ts';
import { clusterLinks, removeBridge } from './network.ts';
import { clusterId } from './plan.ts';
import { clusterLock, readRecord } from './record.ts';

/**
 * Removes a cluster: every process, cgroup, interface, firewall rule and file of it, and nothing else. Needs none of
 * its files, so it works after any crash; does nothing where there is no cluster.
 */
export const removeCluster = async (dir: string, progress: Progress): Promise<void> => {
  await withLock(clusterLock(dir), async () => {
    const id = clusterId(dir);
    const record = await readRecord(dir).catch(() => undefined);
    const boxes = await knownBoxes(id);
    await progress.phase('boxes', () => Promise.all(boxes.map((name) => killBox(id, name))));
    await removeClusterCgroups(id);
    await progress.phase('network', () => removeBridge(dir, record?.network));
    await progress.phase('files', () => rm(dir, { recursive: true, force: true }));
    // While it is held: who waits for it notices, and makes a new one.
    await rm(clusterLock(dir), { force: true });
  });
};

/** What is still there of a cluster that should be gone, for people to read. */
export const leftovers = async (dir: string): Promise<readonly string[]> => {
  const id = clusterId(dir);
  const boxes = await knownBoxes(id);
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').flatMap((line) => line.split(' ')[1] ?? []);
  return [
    ...boxes.map((name) => `box ${name}`),
    ...(await clusterLinks(id)).map((name) => `network interface ${name}`),
    ...mounts.filter((mount) => mount.startsWith(`${dir}/`)).map((mount) => `mount ${mount}`),
    ...(existsSync(dir) ? [`folder ${dir}`] : []),
  ];
};
