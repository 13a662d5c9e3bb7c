import type { PluginHealth } from '../../common/kmsHealth.ts';
import { type NodeReport, nodeReports } from '../../operator/health/reports.ts';
import { staleIntervals } from '../../operator/health/rollUp.ts';
import type { BackendObject, OperatorObject } from '../encryption/objects.ts';
import { isReady, type PodObject } from './cluster.ts';

/** What a plugin serves as a key, or that it serves none. */
export interface PluginStatus {
  readonly node: string;
  /** Number of the key; `null` where the plugin has none yet. */
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

export interface PluginObjects {
  readonly pods: readonly PodObject[];
  readonly backend: BackendObject | undefined;
  readonly operator: OperatorObject | undefined;
  /** From one report of a plugin's health to the next, milliseconds. */
  readonly healthIntervalMs: number;
  /** Since 1970, milliseconds. */
  readonly now: number;
}

const podText = ({ metadata, status }: PodObject): string => {
  if (isReady(status.conditions)) return `pod ${metadata.name} is Ready`;
  const why = status.containerStatuses.flatMap(({ state }) => state.waiting ?? [])[0];
  const words = [why?.reason ?? status.phase, why?.message].filter((word) => word !== undefined && word !== '');
  return `pod ${metadata.name} is not Ready: ${words.join(': ')}`;
};

const told = (node: string, { keyID, kekID, status, lastChecked, detail }: PluginHealth): PluginStatus => ({
  node,
  keyID,
  kekID: kekID ?? null,
  status,
  lastChecked,
  detail: detail ?? '',
});

const staleText = ({ status, lastChecked, detail }: PluginHealth): string =>
  `nothing new since ${lastChecked}, when it was ${status}${detail === undefined ? '' : `: ${detail}`}`;

/** What the reporter of a node says of its plugins. */
const reported = ({ node, plugins }: NodeReport, { now, healthIntervalMs }: PluginObjects): readonly PluginStatus[] =>
  (plugins ?? []).map((plugin) => {
    const isStale = now - Date.parse(plugin.lastChecked) >= staleIntervals * healthIntervalMs;
    if (!isStale) return told(node, plugin);
    return { ...told(node, plugin), status: 'unknown', detail: staleText(plugin) };
  });

/** What can be known without a reporter. */
const unreported = (pod: PodObject, { backend }: PluginObjects, told: ReadonlySet<string>): readonly PluginStatus[] => {
  const { nodeName: node } = pod.spec;
  const keys = Object.entries(backend?.status.nodes[node]?.keys ?? {});
  const common = { node, lastChecked: null, detail: podText(pod) };
  if (keys.length === 0 && told.size === 0) {
    const status = isReady(pod.status.conditions) ? 'healthy' : 'unhealthy';
    return [{ ...common, keyID: null, kekID: null, status }];
  }
  return keys
    .filter(([keyID]) => !told.has(keyID))
    .map(([keyID, { keyID: kekID }]) => ({
      ...common,
      keyID,
      kekID,
      status: 'unknown',
      detail: `not observed yet; ${common.detail}`,
    }));
};

const byNodeAndKey = (one: PluginStatus, other: PluginStatus): number =>
  one.node < other.node ? -1 : one.node > other.node ? 1 : Number(one.keyID) - Number(other.keyID);

/** An entry for each key of each plugin: by its reporter's word, else by its pod. */
export const pluginStatuses = (objects: PluginObjects): readonly PluginStatus[] => {
  const reports = nodeReports(objects.operator?.status ?? {}).flatMap((report) => reported(report, objects));
  const others = objects.pods.flatMap((pod) => {
    const keys = reports.filter(({ node }) => node === pod.spec.nodeName).map(({ keyID }) => keyID ?? '');
    return unreported(pod, objects, new Set(keys));
  });
  return [...reports, ...others].sort(byNodeAndKey);
};
