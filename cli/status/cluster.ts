import { z } from 'zod';
import type { BoxState } from '../../cluster/inspect.ts';
import { engineLabel, groupLabel } from '../../common/hollowNodes.ts';

const condition = z.object({ type: z.string(), status: z.string() });

export const nodeWithConditions = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
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
export type PodObject = z.infer<typeof podObject>;

export interface NodeStatus {
  readonly name: string;
  readonly ready: boolean;
  /** Whether it is simulated. */
  readonly hollow: boolean;
}

export interface HollowGroupStatus {
  readonly name: string;
  /** Who simulates its nodes. */
  readonly engine: string;
  /** How many nodes there are, and how many of them are Ready. */
  readonly nodes: number;
  readonly ready: number;
}

export interface ClusterStatus {
  /** Whether all real nodes are; hollow ones may be lost on purpose. */
  readonly ready: boolean;
  readonly version: string;
  readonly nodes: readonly NodeStatus[];
  readonly hollowGroups: readonly HollowGroupStatus[];
}

export const isReady = (conditions: readonly z.infer<typeof condition>[]): boolean =>
  conditions.some(({ type, status }) => type === 'Ready' && status === 'True');

const groupStatuses = (nodes: readonly NodeObject[]): readonly HollowGroupStatus[] => {
  const groups = Map.groupBy(nodes, ({ metadata }) => metadata.labels[groupLabel]);
  return [...groups].flatMap(([name, members]) =>
    name === undefined
      ? []
      : [
          {
            name,
            engine: members[0]?.metadata.labels[engineLabel] ?? '',
            nodes: members.length,
            ready: members.filter(({ status }) => isReady(status.conditions)).length,
          },
        ],
  );
};

export const clusterStatus = (
  version: string,
  nodeObjects: readonly NodeObject[],
  boxes: readonly BoxState[],
): ClusterStatus => {
  const nodes = nodeObjects.map(({ metadata, status }) => ({
    name: metadata.name,
    ready: isReady(status.conditions),
    hollow: metadata.labels[groupLabel] !== undefined,
  }));
  const ready = nodes.every(({ ready, hollow }) => ready || hollow) && boxes.every(({ running }) => running);
  return { ready, version, nodes, hollowGroups: groupStatuses(nodeObjects) };
};

/** Of a cluster whose API server does not answer. */
export const unreachableCluster = (boxes: readonly BoxState[]): ClusterStatus => ({
  ready: false,
  version: '',
  nodes: boxes.map(({ name }) => ({ name, ready: false, hollow: false })),
  hollowGroups: [],
});
