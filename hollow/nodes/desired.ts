import { capacityOf, type HollowGroup, labelsOf, type Taint, taintsOf } from '../../common/hollowGroups.ts';
import { hollowNodeName } from '../../common/hollowNodes.ts';

/** Of a node: what its group gave it last, so that what it has no more can be taken away. */
export const givenAnnotation = 'understudy.dev/hollow-given';

export interface NodeObject {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly taints?: readonly Taint[] };
}

type Texts = Readonly<Record<string, string>>;

/** What a group gives each of its nodes. */
export interface Given {
  readonly labels: Texts;
  readonly taints: readonly Taint[];
  /** As the group has it: the API server writes quantities in a way of its own. */
  readonly capacity: Texts;
}

const sorted = (texts: Texts): Texts =>
  Object.fromEntries(Object.entries(texts).toSorted(([a], [b]) => (a < b ? -1 : 1)));

export const givenBy = (group: HollowGroup): Given => ({
  labels: sorted(labelsOf(group)),
  taints: taintsOf(group),
  capacity: sorted(capacityOf(group)),
});

const readGiven = (node: NodeObject): Given => {
  const text = node.metadata.annotations?.[givenAnnotation];
  return text === undefined ? { labels: {}, taints: [], capacity: {} } : (JSON.parse(text) as Given);
};

/** What kubelets say of themselves when all is well. */
const conditions = [
  ['Ready', 'True', 'KubeletReady', 'the node is simulated by kwok'],
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'there is no memory'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'there is no disk'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'there are no processes'],
] as const;

/**
 * A node of a kwok group as it is made: Ready from the start, so that kwok need not write it once more.
 * @param address its InternalIP; nobody answers there
 * @param now RFC 3339
 */
export const newNode = (group: HollowGroup, index: number, address: string, now: string): object => {
  const name = hollowNodeName(group.name, index);
  const capacity = capacityOf(group);
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        ...labelsOf(group),
      },
      annotations: { [givenAnnotation]: JSON.stringify(givenBy(group)) },
    },
    spec: { providerID: `kwok://${name}`, taints: taintsOf(group) },
    status: {
      phase: 'Running',
      capacity,
      allocatable: capacity,
      conditions: conditions.map(([type, status, reason, message]) => ({
        type,
        status,
        reason,
        message,
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      })),
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        bootID: '',
        containerRuntimeVersion: 'kwok',
        kernelVersion: 'kwok',
        kubeProxyVersion: '',
        kubeletVersion: 'kwok',
        machineID: '',
        osImage: '',
        systemUUID: '',
      },
    },
  };
};

const sameTaint = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;

/** Merge patches of a node. The status goes first: the other one says that all is given. */
export interface NodePatch {
  readonly status: object | undefined;
  readonly node: object;
}

const without = (before: Texts, now: Texts): Readonly<Record<string, null>> =>
  Object.fromEntries(Object.keys(before).flatMap((key) => (key in now ? [] : [[key, null]])));

/**
 * What gives a node what its group says now; undefined where it has that. Labels and taints that others gave it stay. Its resources are
 * left to its kubelet where it has one.
 * @param given {@link givenBy} the group: the same for thousands of nodes
 * @param text that as JSON
 */
export const nodePatch = (
  node: NodeObject,
  { engine }: HollowGroup,
  given: Given,
  text: string,
): NodePatch | undefined => {
  if (node.metadata.annotations?.[givenAnnotation] === text) return undefined;
  const before = readGiven(node);
  const foreign = (node.spec?.taints ?? []).filter(
    (taint) => ![...before.taints, ...given.taints].some((other) => sameTaint(taint, other)),
  );
  const capacity = { ...without(before.capacity, given.capacity), ...given.capacity };
  const isSame = JSON.stringify(before.capacity) === JSON.stringify(given.capacity);
  return {
    status: engine === 'kubemark' || isSame ? undefined : { status: { capacity, allocatable: capacity } },
    node: {
      metadata: {
        labels: { ...without(before.labels, given.labels), ...given.labels },
        annotations: { [givenAnnotation]: text },
      },
      spec: { taints: [...given.taints, ...foreign] },
    },
  };
};
