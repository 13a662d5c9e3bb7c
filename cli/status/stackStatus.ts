import { z } from 'zod';
import type { BoxState, ClusterState } from '../../cluster/inspect.ts';
import { parseDuration } from '../../common/duration.ts';
import { ApiError, Unreachable } from '../../providers/kubernetes/client.ts';
import type { ClusterObjects } from '../clusterObjects.ts';
import { type ListedFault, listFaults } from '../encryption/faults.ts';
import { listOf } from '../encryption/objects.ts';
import { readEncryption } from '../encryption/read.ts';
import { type ConditionStatus, degradedStatus, type EncryptionStatus, encryptionStatus } from '../encryption/state.ts';
import type { Stack } from '../stack.ts';
import { type ClusterStatus, clusterStatus, nodeWithConditions, podObject, unreachableCluster } from './cluster.ts';
import { type PluginStatus, pluginStatuses } from './plugins.ts';

/** How a stack is. */
export interface StackStatus {
  readonly stack: string;
  readonly platform: string;
  readonly cluster: ClusterStatus;
  readonly encryption: EncryptionStatus;
  readonly plugins: readonly PluginStatus[];
  readonly degraded: ConditionStatus;
  /** Those that are in force. */
  readonly faults: readonly ListedFault[];
}

const pluginPods = '/api/v1/namespaces/openshift-kms-plugin/pods?labelSelector=app%3Dkms-plugin';

const unreachable = (message: string): ConditionStatus => ({
  status: 'Unknown',
  reason: 'ApiServerUnreachable',
  message,
});

type Findings = Omit<StackStatus, 'stack' | 'platform'>;

const ask = async (
  objects: ClusterObjects,
  boxes: readonly BoxState[],
  healthIntervalMs: number,
): Promise<Findings> => {
  const now = Date.now();
  const [version, nodes, pods, encryption] = await Promise.all([
    objects.read('/version', z.object({ gitVersion: z.string() })),
    objects.read('/api/v1/nodes', listOf(nodeWithConditions)),
    objects.read(pluginPods, listOf(podObject)),
    readEncryption(objects),
  ]);
  return {
    cluster: clusterStatus(version?.gitVersion ?? '', nodes?.items ?? [], boxes),
    encryption: encryptionStatus(encryption),
    plugins: pluginStatuses({ ...encryption, pods: pods?.items ?? [], healthIntervalMs, now }),
    degraded: degradedStatus(encryption),
    faults: listFaults(encryption.backend, now).filter(({ state }) => state === 'active'),
  };
};

const withoutAnswer = (boxes: readonly BoxState[], message: string): Findings => ({
  cluster: unreachableCluster(boxes),
  encryption: { type: null, encrypted: unreachable(message), writeKey: null, keys: [], migration: null },
  plugins: [],
  degraded: unreachable(message),
  faults: [],
});

/** How a stack is now. That its API server does not answer is a state too. */
export const stackStatus = async (
  stack: Stack,
  objects: ClusterObjects,
  state: ClusterState | undefined,
): Promise<StackStatus> => {
  const boxes = state?.boxes ?? [];
  const named = { stack: stack.name, platform: stack.settings.platform };
  try {
    return { ...named, ...(await ask(objects, boxes, parseDuration(stack.settings.healthInterval) ?? 0)) };
  } catch (error) {
    if (!(error instanceof Unreachable || error instanceof ApiError)) throw error;
    return { ...named, ...withoutAnswer(boxes, error.message) };
  }
};
