import { z } from 'zod';
import type { BoxState } from '../../cluster/inspect.ts';
import type { BackendObject } from '../encryption/objects.ts';

const condition = z.object({ type: z.string(), status: z.string() });

export const nodeWithConditions = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({ conditions: z.array(condition).default([]) }).prefault({}),
});
type NodeObject = z.infer<typeof nodeWithConditions>;

const waiting = z.object({ reason: z.string().default(''), message: z.string().default('') });

export const podObject = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ nodeName: z.string().default('') }).prefault({}),
  status: z
    .object({
      phase: z.string().default(''),
      conditions: z.array(condition).default([]),
      containerStatuses: z
        .array(z.object({ state: z.object({ waiting: waiting.optional() }).prefault({}) }))
        .default([]),
    })
    .prefault({}),
});
type PodObject = z.infer<typeof podObject>;

export interface NodeStatus {
  readonly name: string;
  readonly ready: boolean;
  /** Whether it is simulated. */
  readonly hollow: boolean;
}

export interface ClusterStatus {
  readonly ready: boolean;
  readonly version: string;
  readonly nodes: readonly NodeStatus[];
}

/** What a plugin serves as a key, or that it serves none. */
export interface PluginStatus {
  readonly node: string;
  /** Number of the key; `null` where the plugin has none yet, or does not tell. */
  readonly keyID: string | null;
  /** The plugin's key_id: its id of the key-encryption key. */
  readonly kekID: string | null;
  /** `unknown`: its reporter has told nothing yet, or nothing new for four intervals. */
  readonly status: 'healthy' | 'unhealthy' | 'error' | 'unknown';
  /** RFC 3339: when it was asked last; `null` where no reporter has told of it. */
  readonly lastChecked: string | null;
  /** Empty where there is nothing to add. */
  readonly detail: string;
}

const isReady = (conditions: readonly z.infer<typeof condition>[]): boolean =>
  conditions.some(({ type, status }) => type === 'Ready' && status === 'True');

export const clusterStatus = (
  version: string,
  nodeObjects: readonly NodeObject[],
  boxes: readonly BoxState[],
): ClusterStatus => {
  const nodes = nodeObjects.map(({ metadata, status }) => ({
    name: metadata.name,
    ready: isReady(status.conditions),
    hollow: false,
  }));
  return { ready: nodes.every(({ ready }) => ready) && boxes.every(({ running }) => running), version, nodes };
};

/** Of a cluster whose API server does not answer. */
export const unreachableCluster = (boxes: readonly BoxState[]): ClusterStatus => ({
  ready: false,
  version: '',
  nodes: boxes.map(({ name }) => ({ name, ready: false, hollow: false })),
});

const podHealth = ({ metadata, status }: PodObject): Pick<PluginStatus, 'status' | 'detail'> => {
  if (isReady(status.conditions)) return { status: 'healthy', detail: `pod ${metadata.name} is Ready` };
  const why = status.containerStatuses[0]?.state.waiting;
  const words = [why?.reason ?? status.phase, why?.message].filter((word) => word !== undefined && word !== '');
  return { status: 'unhealthy', detail: `pod ${metadata.name} is not Ready: ${words.join(': ')}` };
};

/** An entry for each key of each plugin's pod. */
export const pluginStatuses = (
  pods: readonly PodObject[],
  backend: BackendObject | undefined,
): readonly PluginStatus[] =>
  pods.flatMap((pod): readonly PluginStatus[] => {
    const node = pod.spec.nodeName;
    const health = podHealth(pod);
    const keys = Object.entries(backend?.status.nodes[node]?.keys ?? {});
    if (keys.length === 0) return [{ node, keyID: null, kekID: null, lastChecked: null, ...health }];
    return keys.map(([keyID, served]) => ({ node, keyID, kekID: served.keyID, lastChecked: null, ...health }));
  });
