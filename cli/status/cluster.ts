import { z } from 'zod';
import type { BoxState } from '../../cluster/inspect.ts';

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
export type PodObject = z.infer<typeof podObject>;

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

export const isReady = (conditions: readonly z.infer<typeof condition>[]): boolean =>
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
