import type { HollowGroup } from './hollowGroups.ts';

/** Where the pods of kubemark groups are to be. */
export interface Room {
  readonly controlPlanes: number;
  readonly workers: number;
}

/** What a kubelet takes unless told otherwise. */
export const podsPerNode = 110;

/** Pods of ours: the plugin, the installer and etcd's on each control-plane node; operator, controller, kwok, webhook anywhere. */
const ownPods = ({ controlPlanes }: Room): number => 3 * controlPlanes + 4;

/**
 * How many pods of kubemark fit on the real nodes. A few are left for one that is being replaced.
 * @see https://kubernetes.io/docs/setup/best-practices/cluster-large/
 */
export const kubemarkPodsThatFit = (room: Room): number =>
  podsPerNode * (room.controlPlanes + room.workers) - ownPods(room) - 1;

const kubemarkPods = (groups: readonly HollowGroup[]): number =>
  groups.reduce((sum, { engine, count }) => sum + (engine === 'kubemark' ? count : 0), 0);

/** Why the real nodes cannot hold the groups, with what to do; undefined where they can. */
export const crowdedBy = (groups: readonly HollowGroup[], room: Room): string | undefined => {
  const asked = kubemarkPods(groups);
  const fit = kubemarkPodsThatFit(room);
  if (asked <= fit) return undefined;
  const missing = Math.ceil((asked - fit) / podsPerNode);
  return (
    `its kubemark groups have ${asked} nodes, each of which is a pod, and the real nodes hold ${fit} of those: ` +
    `add ${missing} to workers, ask for fewer, or let a group be of engine kwok, which takes no pod a node`
  );
};

/** Of its own, bytes; measured, see docs/hollow-nodes.md. The program's 60 MB are there once for all of them. */
const memoryOfKubemark = 20e6;

/** Why a machine's memory is too small for the groups; undefined where it is not. @param available bytes */
export const tooLargeFor = (groups: readonly HollowGroup[], available: number): string | undefined => {
  const needed = kubemarkPods(groups) * memoryOfKubemark;
  if (needed <= available) return undefined;
  return `${kubemarkPods(groups)} nodes of kubemark take ${(needed / 1e9).toFixed(1)} GB, and ${(available / 1e9).toFixed(1)} GB are free`;
};
