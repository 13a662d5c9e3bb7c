import { readAccess } from '../../cluster/access.ts';
import { inspectCluster } from '../../cluster/inspect.ts';
import { findKubeconfig } from '../access.ts';
import { readCloudRecord } from '../cloud/record.ts';
import { type ClusterObjects, connectClusterObjects } from '../clusterObjects.ts';
import { clusterDirOf, knownStacks, loadStack, type Stack } from '../stack.ts';
import { stackStatus } from '../status/stackStatus.ts';
import type { Finding } from './board.ts';
import type { StackSource } from './feed.ts';

interface Connection {
  /** Its content, or its path. */
  readonly kubeconfig: string;
  readonly objects: ClusterObjects;
}

const isUp = async (name: string): Promise<boolean> => {
  const dir = clusterDirOf(name);
  return ((await readAccess(dir)) ?? (await readCloudRecord(dir))) !== undefined;
};

/** All stacks that are up now. */
const stacksUp = async (): Promise<readonly string[]> => {
  const names = await knownStacks();
  const up = await Promise.all(names.map(isUp));
  return names.filter((_name, index) => up[index]);
};

const seen = async (stack: Stack, objects: ClusterObjects): Promise<Finding> => {
  const state = await inspectCluster(stack.clusterDir);
  const dead = (state?.boxes ?? []).filter(({ running }) => !running).map(({ name }) => name);
  return { kind: 'seen', status: await stackStatus(stack, objects, state), dead };
};

/**
 * Stacks of this machine.
 * @param named to be shown whether they are up or not; where there is none, all that are up
 */
export const stackSource = (named: readonly string[]): StackSource & { close(): void } => {
  const connections = new Map<string, Connection>();
  const disconnect = (name: string): void => {
    connections.get(name)?.objects.close();
    connections.delete(name);
  };
  /** The same one again, unless the cluster has been made anew since. */
  const connect = async (name: string, kubeconfig: string): Promise<ClusterObjects> => {
    const there = connections.get(name);
    if (there?.kubeconfig === kubeconfig) return there.objects;
    disconnect(name);
    const objects = await connectClusterObjects(kubeconfig);
    connections.set(name, { kubeconfig, objects });
    return objects;
  };
  return {
    list: async () => (named.length > 0 ? named : stacksUp()),
    look: async (name) => {
      const stack = (await isUp(name)) ? await loadStack(name) : undefined;
      const kubeconfig = stack && (await findKubeconfig(stack));
      if (stack !== undefined && kubeconfig !== undefined) return seen(stack, await connect(name, kubeconfig));
      disconnect(name);
      return { kind: 'down', problem: `stack ${name} is not up: 'understudy up ${name}' starts it` };
    },
    close: () => {
      for (const name of [...connections.keys()]) disconnect(name);
    },
  };
};
