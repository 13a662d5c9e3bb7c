import { type KubeClient, kubeClient } from './client.ts';
import { createDiscovery, type Discovery, type ResourceMapping } from './discovery.ts';
import { connectionFrom, loadKubeconfig } from './kubeconfig.ts';
import type { TypeMeta } from './objects.ts';
import type { Settings } from './settings.ts';

/** An API server that this provider talks to. */
export interface Cluster {
  readonly client: KubeClient;
  readonly discovery: Discovery;
  /** Of objects that name none. */
  readonly namespace: string;
}

/** @throws Failure where the kubeconfig cannot be used; the server itself is not asked yet. */
export const connectCluster = async ({ kubeconfig, overrides }: Settings): Promise<Cluster> => {
  const connection = await connectionFrom(loadKubeconfig(kubeconfig), overrides);
  const client = kubeClient(connection);
  return { client, discovery: createDiscovery(client), namespace: connection.namespace };
};

/** What an operation on one object works with. */
export interface Operation {
  readonly cluster: Cluster;
  /** Aborted by the engine's Cancel. */
  readonly signal: AbortSignal;
  /** Shows what the operation is waiting for, until it ends. */
  status(message: string): void;
  warn(message: string): void;
}

/** @throws ApiError, Unreachable */
export const mappingOf = ({ cluster, signal }: Operation, type: TypeMeta): Promise<ResourceMapping | undefined> =>
  cluster.discovery.find(type, signal);
