import { isMap, type PropertyMap } from '../../protocol/values.ts';
import { at, type KubeObject, listAt, nameOf, numberAt, stringAt } from '../objects.ts';
import { isTrue, reasonOf, statusCondition } from './verdict.ts';

/** Something that keeps a pod from being ready. */
export interface Trouble {
  /** The same for as long as the trouble lasts, however its words change. */
  readonly key: string;
  readonly reason: string;
  readonly text: string;
  /** Container that has crashed, whose log tells more. */
  readonly crashed?: string;
  /** How long it has to last until waiting longer is in vain; undefined where it may pass by itself. Milliseconds. */
  readonly hopelessAfterMs?: number;
}

const neverStarts: ReadonlySet<string> = new Set(['ErrImageNeverPull', 'InvalidImageName']);
/** An image that was just loaded may be known to the runtime a moment later. */
const neverStartsAfterMs = 20_000;
/** kubelet restarts a container after 10, 20, 40 s: the third restart comes half a minute after the first crash. */
const crashLoopAfterMs = 30_000;
const crashLoopRestarts = 3;
const unschedulableAfterMs = 60_000;

/** A node that has just started takes no pods yet, and will. */
const nodesWillCome = /node\.kubernetes\.io\/(not-ready|unreachable|network-unavailable)/;

/** Waiting reasons of a container that nothing is wrong with. */
const harmless: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing', 'Completed']);

const restartsText = (count: number): string => (count === 1 ? ', restarted once' : `, restarted ${count} times`);

const endText = (state: PropertyMap, restarts: number): string => {
  const code = numberAt(state, 'exitCode');
  return `${code === undefined ? '' : ` (exit code ${code})`}${restarts === 0 ? '' : restartsText(restarts)}`;
};

const hopeOf = (reason: string, restarts: number): Pick<Trouble, 'hopelessAfterMs'> => {
  if (neverStarts.has(reason)) return { hopelessAfterMs: neverStartsAfterMs };
  const isLoop = reason === 'CrashLoopBackOff' && restarts >= crashLoopRestarts;
  return isLoop ? { hopelessAfterMs: crashLoopAfterMs } : {};
};

const containerTroubles = (container: PropertyMap): readonly Trouble[] => {
  if (container.ready === true) return [];
  const state = (...path: readonly string[]): PropertyMap | undefined => {
    const found = at(container, ...path);
    return isMap(found) && !harmless.has(stringAt(found, 'reason') ?? '') ? found : undefined;
  };
  const name = stringAt(container, 'name') ?? '';
  const restarts = numberAt(container, 'restartCount') ?? 0;
  const waiting = state('state', 'waiting');
  const ended = state('state', 'terminated') ?? state('lastState', 'terminated');
  const troubles: Trouble[] = [];
  if (waiting !== undefined) {
    const reason = stringAt(waiting, 'reason') ?? '';
    const key = reason === 'CrashLoopBackOff' ? `${name} crashes` : `${name} ${reason}`;
    const text = `container ${name}: ${reasonOf(waiting) || 'waiting'}`;
    troubles.push({ key, reason, text, ...hopeOf(reason, restarts) });
  }
  if (ended !== undefined) {
    const text = `container ${name}: ${reasonOf(ended) || 'ended'}${endText(ended, restarts)}`;
    troubles.push({ key: `${name} crashes`, reason: stringAt(ended, 'reason') ?? '', text, crashed: name });
  }
  return troubles;
};

/** What keeps a pod's containers from running, one line each. */
export const containerProblems = (pod: KubeObject): readonly string[] =>
  allContainerTroubles(pod).map(({ text }) => text);

const allContainerTroubles = (pod: KubeObject): readonly Trouble[] =>
  [...listAt(pod, 'status', 'initContainerStatuses'), ...listAt(pod, 'status', 'containerStatuses')]
    .filter(isMap)
    .flatMap(containerTroubles);

const placementTroubles = (pod: KubeObject): readonly Trouble[] => {
  const scheduled = statusCondition(pod, 'PodScheduled');
  if (scheduled === undefined || isTrue(scheduled)) return [];
  const text = reasonOf(scheduled) || 'not scheduled yet';
  const hope = nodesWillCome.test(text) ? {} : { hopelessAfterMs: unschedulableAfterMs };
  return [{ key: 'placement', reason: 'Unschedulable', text, ...hope }];
};

export const isPodReady = (pod: KubeObject): boolean =>
  stringAt(pod, 'status', 'phase') === 'Succeeded' || isTrue(statusCondition(pod, 'Ready'));

/** What keeps a pod from being ready; nothing where it is, or is only starting. */
export const troublesOf = (pod: KubeObject): readonly Trouble[] =>
  isPodReady(pod) ? [] : [...placementTroubles(pod), ...allContainerTroubles(pod)];

const createdAt = (pod: KubeObject): string => stringAt(pod, 'metadata', 'creationTimestamp') ?? '';

const revisionOf = (pod: KubeObject): string =>
  stringAt(pod, 'metadata', 'labels', 'pod-template-hash') ??
  stringAt(pod, 'metadata', 'labels', 'controller-revision-hash') ??
  '';

/** The pods of a workload's newest template that are to stay: older ones may be broken, and go. */
export const newestPods = (pods: readonly KubeObject[]): readonly KubeObject[] => {
  const staying = pods.filter((pod) => at(pod, 'metadata', 'deletionTimestamp') === undefined);
  const [newest] = [...staying].sort((a, b) => createdAt(b).localeCompare(createdAt(a)));
  return newest === undefined ? [] : staying.filter((pod) => revisionOf(pod) === revisionOf(newest));
};

/** Since when troubles last, by pod and key. Milliseconds of a clock that only goes forward. */
export type Since = ReadonlyMap<string, number>;

export interface Judgement {
  readonly since: Since;
  /** Lines about troubles, with a key that is the same while there is nothing new to tell. */
  readonly told: ReadonlyMap<string, string>;
  /** Why waiting longer is in vain. */
  readonly inVain: string | undefined;
}

/** What a look at pods adds to earlier ones. */
export const judgePods = (pods: readonly KubeObject[], before: Since, now: number): Judgement => {
  const since = new Map<string, number>();
  const told = new Map<string, string>();
  let inVain: string | undefined;
  for (const pod of newestPods(pods)) {
    for (const { key, reason, text, hopelessAfterMs } of troublesOf(pod)) {
      const id = `${stringAt(pod, 'metadata', 'uid') ?? nameOf(pod)} ${key}`;
      const from = before.get(id) ?? now;
      since.set(id, from);
      const line = `pod ${nameOf(pod)}: ${text}`;
      told.set(`${id} ${reason}`, line);
      if (hopelessAfterMs !== undefined && now - from >= hopelessAfterMs) inVain ??= line;
    }
  }
  return { since, told, inVain };
};
