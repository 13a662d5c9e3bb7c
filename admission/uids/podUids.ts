import { type JsonPatchOperation, jsonPointer } from '../jsonPatch.ts';

interface SecurityContext {
  readonly runAsUser?: number;
  readonly runAsNonRoot?: boolean;
}

interface Container {
  readonly name: string;
  readonly securityContext?: SecurityContext;
}

/** What of a pod decides about its UIDs. */
export interface Pod {
  readonly spec?: {
    readonly os?: { readonly name?: string };
    readonly securityContext?: SecurityContext & { readonly fsGroup?: number };
    readonly initContainers?: readonly Container[];
    readonly containers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
  };
}

/** Who a pod is to run as. */
export interface Identity {
  readonly uid: number;
  /** Left alone where undefined. */
  readonly fsGroup?: number;
}

const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const;
type List = (typeof lists)[number];

interface Place {
  readonly list: List;
  readonly index: number;
  readonly container: Container;
}

const containersOf = ({ spec = {} }: Pod, of: readonly List[] = lists): readonly Place[] =>
  of.flatMap((list) => (spec[list] ?? []).map((container, index) => ({ list, index, container })));

/** OpenShift ignores pods for Windows, where users have names. */
const isForWindows = ({ spec }: Pod): boolean => spec?.os?.name === 'windows';

/** A container's own setting goes before its pod's, each by itself. */
const lacksUid = (pod: Pod, { securityContext: own = {} }: Container): boolean => {
  const { securityContext: shared = {} } = pod.spec ?? {};
  return (own.runAsNonRoot ?? shared.runAsNonRoot) === true && (own.runAsUser ?? shared.runAsUser) === undefined;
};

const lacking = (pod: Pod): readonly Place[] =>
  isForWindows(pod) ? [] : containersOf(pod).filter(({ container }) => lacksUid(pod, container));

/** One of the pod's own is root on purpose: a UID of the pod would be its too. */
const hasOptedOut = ({ securityContext: own = {} }: Container): boolean =>
  own.runAsNonRoot === false && own.runAsUser === undefined;

const setOn = (context: object | undefined, path: readonly (string | number)[], fields: Record<string, number>) =>
  context === undefined
    ? [{ op: 'add', path: jsonPointer(...path, 'securityContext'), value: fields } as const]
    : Object.entries(fields).map(([field, value]): JsonPatchOperation => {
        return { op: 'add', path: jsonPointer(...path, 'securityContext', field), value };
      });

const setOnContainers = (places: readonly Place[], uid: number): readonly JsonPatchOperation[] =>
  places.flatMap(({ list, index, container }) =>
    setOn(container.securityContext, ['spec', list, index], { runAsUser: uid }),
  );

/** Whether a container must not be root, and nobody says who else it is: the kubelet would refuse an image without a numeric user. */
export const needsUid = (pod: Pod): boolean => lacking(pod).length > 0;

/** The changes to a pod that is created; none where {@link needsUid} is false. */
export const uidPatch = (pod: Pod, { uid, fsGroup }: Identity): readonly JsonPatchOperation[] => {
  const places = lacking(pod);
  if (places.length === 0) return [];
  const shared = pod.spec?.securityContext;
  const isOfPod = shared?.runAsNonRoot === true && !containersOf(pod).some(({ container }) => hasOptedOut(container));
  const fields = {
    ...(isOfPod && { runAsUser: uid }),
    ...(fsGroup !== undefined && shared?.fsGroup === undefined && { fsGroup }),
  };
  return [
    ...(Object.keys(fields).length === 0 ? [] : setOn(shared, ['spec'], fields)),
    ...(isOfPod ? [] : setOnContainers(places, uid)),
  ];
};

/** Ephemeral containers that are new; nothing else of a pod can change any more. */
const newLacking = (pod: Pod, before: Pod): readonly Place[] => {
  const known = new Set(before.spec?.ephemeralContainers?.map(({ name }) => name));
  return lacking(pod).filter(({ list, container }) => list === 'ephemeralContainers' && !known.has(container.name));
};

export const ephemeralNeedsUid = (pod: Pod, before: Pod): boolean => newLacking(pod, before).length > 0;

/** The changes to a pod that is given ephemeral containers. @param before the pod without them */
export const ephemeralUidPatch = (pod: Pod, before: Pod, uid: number): readonly JsonPatchOperation[] =>
  setOnContainers(newLacking(pod, before), uid);

/** UIDs that OpenShift gives, and so those to choose from at random. */
export const uidSpace = { first: 1_000_000_000, last: 1_999_999_999 } as const;

/**
 * A UID of the pod alone. A container that came later gets the one that the pod's others were given.
 * @param random from 0 to 1, without 1
 */
export const randomUid = (pod: Pod, random: () => number): number =>
  containersOf(pod)
    .map(({ container }) => container.securityContext?.runAsUser ?? 0)
    .find((uid) => uid >= uidSpace.first && uid <= uidSpace.last) ??
  uidSpace.first + Math.floor(random() * (uidSpace.last - uidSpace.first + 1));
