import { manifestsDir, turns } from '../../common/apiServerPods.ts';
import type { EngineName } from './engine.ts';
import { inNode, type KindNode } from './nodes.ts';

/** The shell program that gives the manifest of the second kube-apiserver, where there is one, a node's address of now. */
export const renderFollow = (address: string): string => {
  const [, second] = turns;
  return [
    'set -eu',
    'umask 077',
    `cd ${manifestsDir}`,
    `[ -f ${second}.yaml ] || exit 0`,
    `old=$(sed -n 's/.*--bind-address=\\([0-9.]*\\).*/\\1/p' ${second}.yaml)`,
    `[ "$old" != ${address} ] || exit 0`,
    `sed "s/\\b$(echo "$old" | sed 's/\\./\\\\./g')\\b/${address}/g" ${second}.yaml > .${second}.yaml`,
    `mv .${second}.yaml ${second}.yaml`,
  ].join('\n');
};

/**
 * Lets the second kube-apiserver of nodes that were started again follow a changed address, as kind's entrypoint does with
 * the manifests that it knows.
 */
export const followAddresses = async (engine: EngineName, controlPlanes: readonly KindNode[]): Promise<void> => {
  await Promise.all(
    controlPlanes.map(({ name, address }) => inNode(engine, name, ['sh', '-c', renderFollow(address)])),
  );
};
