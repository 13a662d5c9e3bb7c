import { z } from 'zod';
import { isReady } from './status/cluster.ts';

const condition = z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string().default('') });

/** What is read of a plugin's pod. */
export const pluginPod = z.object({
  metadata: z.object({ deletionTimestamp: z.string().optional() }).prefault({}),
  spec: z.object({ nodeName: z.string().default('') }).prefault({}),
  status: z
    .object({
      conditions: z.array(condition).default([]),
      containerStatuses: z
        .array(
          z.object({
            state: z.object({ running: z.object({ startedAt: z.string().default('') }).optional() }).prefault({}),
          }),
        )
        .default([]),
    })
    .prefault({}),
});
export type PluginPod = z.infer<typeof pluginPod>;

/** How far the KMS plugin is on the control-plane nodes. */
export interface PluginReadiness {
  /** Control-plane nodes on which it is ready, and how many there are to be. */
  readonly nodes: number;
  readonly of: number;
  /** When it became ready on all of them: seconds since the command began, or before that; undefined where it is not. */
  readonly after: number | 'already' | undefined;
}

/** What a look is judged by. */
export interface PluginBefore {
  readonly controlPlanes: number;
  /** When the command began, in milliseconds since 1970. */
  readonly began: number;
  /** Nodes whose box did not run then: what the API server has of their pods is out of date until they run again. */
  readonly dead: ReadonlySet<string>;
}

/** Times of the API server are whole seconds, rounded down. */
const roundedMs = 1_000;

const runsAnew = ({ status }: PluginPod, began: number): boolean =>
  status.containerStatuses.length > 0 &&
  status.containerStatuses.every(({ state }) => Date.parse(state.running?.startedAt ?? '') + roundedMs > began);

const becameReady = ({ status }: PluginPod): number =>
  Date.parse(status.conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '');

/** What a look at the plugin's pods comes to after the last one. @param seconds since the command began */
export const lookAtPlugin = (
  last: PluginReadiness | undefined,
  pods: readonly PluginPod[],
  { controlPlanes, began, dead }: PluginBefore,
  seconds: number,
): PluginReadiness => {
  const ready = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      isReady(pod.status.conditions) &&
      (!dead.has(pod.spec.nodeName) || runsAnew(pod, began)),
  );
  const nodes = new Set(ready.map(({ spec }) => spec.nodeName)).size;
  const counted = { nodes, of: controlPlanes };
  if (nodes < controlPlanes) return { ...counted, after: undefined };
  if (last?.after !== undefined) return { ...counted, after: last.after };
  const isOld = last === undefined && dead.size === 0 && ready.every((pod) => becameReady(pod) < began);
  return { ...counted, after: isOld ? 'already' : seconds };
};

export const pluginReadinessText = ({ nodes, of, after }: PluginReadiness): string => {
  const where = `KMS plugin ready on ${nodes} of ${of} control-plane nodes`;
  if (after === undefined) return where;
  return after === 'already' ? `${where} already` : `${where} after ${after.toFixed(1)} s`;
};

/** The same in `up --json`. */
export interface PluginResult {
  /** Control-plane nodes on which the KMS plugin is ready, and how many there are. */
  readonly ready: number;
  readonly of: number;
  /** Seconds since the command began, to one decimal; null where it was ready before that. */
  readonly seconds: number | null;
}

export const pluginResult = ({ nodes, of, after }: PluginReadiness): PluginResult => ({
  ready: nodes,
  of,
  seconds: typeof after === 'number' ? Number(after.toFixed(1)) : null,
});
