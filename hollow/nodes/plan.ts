import type { HollowGroup } from '../../common/hollowGroups.ts';
import { engineLabel, groupLabel, hollowNodeName, hollowNodePrefix } from '../../common/hollowNodes.ts';
import type { NodePod } from '../approval/request.ts';
import { givenBy, type NodeObject, type NodePatch, nodePatch } from './desired.ts';

/** What is to be done so that the nodes are those that the groups have. */
export type NodeAction =
  | { readonly kind: 'create'; readonly group: HollowGroup; readonly index: number }
  | { readonly kind: 'patch'; readonly node: string; readonly patch: NodePatch }
  /** The node, and all pods on it by force: nothing real runs there. */
  | { readonly kind: 'remove'; readonly node: string }
  /** Of a pod whose node was deleted: its kubelet registers only when it starts. */
  | { readonly kind: 'restart'; readonly pod: string };

/** What there is. */
export interface Observed {
  readonly groups: readonly HollowGroup[];
  readonly nodes: readonly NodeObject[];
  /** Those of kubemark. */
  readonly pods: readonly NodePod[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A pod that has not gone this long after its time is on a machine that has died. */
const overdueMs = 10_000;
/** A kubelet whose pod is ready has registered within this time. */
const registersWithinMs = 20_000;

const isGone = (pod: NodePod | undefined, now: number): boolean => {
  const end = pod?.metadata.deletionTimestamp;
  return pod === undefined || (end !== undefined && now - Date.parse(end) > overdueMs);
};

const readySince = (pod: NodePod): number | undefined => {
  const ready = pod.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True');
  return ready?.lastTransitionTime === undefined ? undefined : Date.parse(ready.lastTransitionTime);
};

const lacksNode = (pod: NodePod | undefined, now: number): pod is NodePod => {
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return false;
  const since = readySince(pod);
  return since !== undefined && now - since > registersWithinMs;
};

const numberOf = (group: HollowGroup, name: string): number | undefined => {
  const prefix = hollowNodePrefix(group.name);
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^(0|[1-9]\d*)$/.test(rest) ? Number(rest) : undefined;
};

/** Whether a node is one that a group has. */
const belongs = (
  { metadata: { name, labels = {} } }: NodeObject,
  groups: ReadonlyMap<string, HollowGroup>,
): boolean => {
  const group = groups.get(labels[groupLabel] ?? '');
  if (group === undefined || labels[engineLabel] !== group.engine) return false;
  const number = numberOf(group, name);
  return number !== undefined && number < group.count;
};

/** Removals first: a name may be wanted again by another engine. */
export const planNodes = ({ groups, nodes, pods, now }: Observed): readonly NodeAction[] => {
  const byName = new Map(groups.map((group) => [group.name, group]));
  const known = new Map(nodes.map((node) => [node.metadata.name, node]));
  const podOf = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  const removals = nodes.flatMap((node): NodeAction[] => {
    const { name, labels = {} } = node.metadata;
    if (belongs(node, byName)) return [];
    const isReleased = labels[engineLabel] !== 'kubemark' || isGone(podOf.get(name), now);
    return isReleased ? [{ kind: 'remove', node: name }] : [];
  });
  const wanted = groups.flatMap((group) => {
    const given = givenBy(group);
    const text = JSON.stringify(given);
    return Array.from({ length: group.count }, (_, index): readonly NodeAction[] => {
      const name = hollowNodeName(group.name, index);
      const node = known.get(name);
      if (node === undefined) {
        if (group.engine === 'kwok') return [{ kind: 'create', group, index }];
        return lacksNode(podOf.get(name), now) ? [{ kind: 'restart', pod: name }] : [];
      }
      if (!belongs(node, byName)) return [];
      const patch = nodePatch(node, group, given, text);
      return patch === undefined ? [] : [{ kind: 'patch', node: name, patch }];
    }).flat();
  });
  return [...removals, ...wanted];
};
