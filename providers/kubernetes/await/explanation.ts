import { isMap } from '../../protocol/values.ts';
import { describe, type KubeObject, listAt, nameOf, stringAt } from '../objects.ts';
import { isPodReady, troublesOf } from './troubles.ts';

// What a failure quotes is bounded: it becomes part of the engine's state.
export const maxPods = 3;
export const maxLogLines = 10;
const maxLineLength = 400;

/** What was found about a pod that is not ready. */
export interface PodFindings {
  readonly pod: KubeObject;
  /** Events of type Warning. */
  readonly warnings: readonly KubeObject[];
  /** The end of the log of each container that has crashed. */
  readonly logs: ReadonlyMap<string, string>;
}

/** What was found about a workload. */
export interface Findings {
  /** At most {@link maxPods}. */
  readonly pods: readonly PodFindings[];
  /** How many more pods are not ready. */
  readonly others: number;
  /** About the workload itself: that its pods cannot be created. */
  readonly warnings: readonly KubeObject[];
}

const short = (line: string): string => (line.length <= maxLineLength ? line : `${line.slice(0, maxLineLength)}…`);

const seenAt = (event: KubeObject): string =>
  stringAt(event, 'series', 'lastObservedTime') ??
  stringAt(event, 'lastTimestamp') ??
  stringAt(event, 'eventTime') ??
  stringAt(event, 'metadata', 'creationTimestamp') ??
  '';

/** Events that say no more than the status of a container does: `BackOff`, `Failed` with `Error: ErrImagePull`. */
const repeatsStatus = (event: KubeObject): boolean =>
  stringAt(event, 'reason') === 'BackOff' || (stringAt(event, 'message') ?? '').startsWith('Error: ');

/** `<reason>: <message>` of the newest warning that tells something; undefined where there is none. */
export const newestWarning = (events: readonly KubeObject[]): string | undefined => {
  const [newest] = events.filter((event) => !repeatsStatus(event)).sort((a, b) => seenAt(b).localeCompare(seenAt(a)));
  if (newest === undefined) return undefined;
  const message = (stringAt(newest, 'message') ?? '').replace(/^\(combined from similar events\): /, '');
  return `${stringAt(newest, 'reason') ?? ''}: ${message.trim()}`;
};

/** The last lines of a log, each indented and of a bounded length. */
export const logTail = (log: string): readonly string[] =>
  log
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-maxLogLines)
    .map((line) => `  ${short(line)}`);

const explainPod = ({ pod, warnings, logs }: PodFindings): readonly string[] => {
  const node = stringAt(pod, 'spec', 'nodeName');
  const who = `pod ${nameOf(pod)}${node === undefined ? '' : ` on ${node}`}`;
  const texts = troublesOf(pod).map(({ text }) => text);
  const warning = newestWarning(warnings);
  const words = warning?.slice(warning.indexOf(': ') + 2) ?? '';
  const isNew = warning !== undefined && !texts.some((text) => text.includes(words));
  const lines = [...texts, ...(isNew ? [`event ${warning}`] : [])];
  if (lines.length === 0) lines.push(`not ready, ${stringAt(pod, 'status', 'phase') ?? 'without a phase'}`);
  const quoted = [...logs].flatMap(([container, log]) => {
    const tail = logTail(log);
    return tail.length === 0
      ? []
      : [[`last lines of container ${container} of pod ${nameOf(pod)}:`, ...tail].join('\n')];
  });
  return [...lines.map((line) => `${who}: ${short(line)}`), ...quoted];
};

/** Why a workload is not ready, in the cluster's own words. */
export const explain = (live: KubeObject, { pods, others, warnings }: Findings): readonly string[] => {
  const own = newestWarning(warnings);
  return [
    ...(own === undefined ? [] : [`${describe(live)}: event ${short(own)}`]),
    ...pods.flatMap(explainPod),
    ...(others === 0 ? [] : [`${others} more pods are not ready`]),
  ];
};

/** Names of the containers whose log is to be looked at. */
export const crashedIn = (pod: KubeObject): readonly string[] => [
  ...new Set(troublesOf(pod).flatMap(({ crashed }) => crashed ?? [])),
];

/** Those to be looked at, the most troubled first. */
export const unreadyPods = (pods: readonly KubeObject[]): readonly KubeObject[] =>
  pods.filter((pod) => !isPodReady(pod)).sort((a, b) => troublesOf(b).length - troublesOf(a).length);

export const itemsOf = (list: KubeObject): readonly KubeObject[] => listAt(list, 'items').filter(isMap);
