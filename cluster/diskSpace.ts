import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../common/failure.ts';
import { type ClusterSpec, kubernetesNodesOf, planCluster } from './plan.ts';

/** What a new node writes: etcd's log, the images and their content (300 MB), with a margin. */
const megabytesPerNode = 500;

const existingAncestor = (path: string): string => (existsSync(path) ? path : existingAncestor(dirname(path)));

/**
 * Makes sure that there is room for the nodes that are not there yet: on a full disk components only fall silent.
 * @throws Failure
 */
export const checkDisk = async (spec: ClusterSpec, dir: string): Promise<void> => {
  const names = kubernetesNodesOf(planCluster(spec, dir, '')).map((node) => node.name);
  const added = names.filter((name) => !existsSync(join(dir, 'nodes', name)));
  const { bavail, bsize } = await statfs(existingAncestor(dir));
  const free = Math.floor((bavail * bsize) / 1e6);
  const needed = added.length * megabytesPerNode;
  if (free >= needed) return;
  throw new Failure({
    tried: `make ${added.join(', ')} in ${dir}`,
    got: `that disk has ${free} MB free of the ${needed} MB needed`,
    next: 'free some space there, or let UNDERSTUDY_HOME name a folder on another disk; then run the same command again',
  });
};
