import { groupOfNode } from '../../common/hollowNodes.ts';
import { faultText } from '../encryption/faults.ts';
import { migrationCounts } from '../encryption/milestones.ts';
import type { ConditionStatus, KeyStatus } from '../encryption/state.ts';
import type { HollowGroupStatus, NodeStatus } from './cluster.ts';
import type { PluginStatus } from './plugins.ts';
import type { StackStatus } from './stackStatus.ts';

const alarmLines = ({ status, message }: ConditionStatus): readonly string[] => {
  if (status === 'False') return [];
  return message.split('\n').map((line) => `  ${status === 'True' ? 'DEGRADED' : 'UNKNOWN'} ${line}`);
};

const keyText = ({ id, mode, state, migrated }: KeyStatus): string =>
  `  key ${id}  ${mode}  ${state}${migrated ? '  migrated' : ''}`;

const ageText = (lastChecked: string, now: number): string =>
  `checked ${Math.max(0, Math.round((now - Date.parse(lastChecked)) / 1000))}s ago`;

const pluginText = (plugin: PluginStatus, now: number): string => {
  const { node, keyID, kekID, status, lastChecked, detail } = plugin;
  const key = keyID === null ? [] : [`key ${keyID}`, ...(kekID === null ? [] : [kekID])];
  const age = lastChecked === null || status === 'unknown' ? [] : [ageText(lastChecked, now)];
  const word = status === 'healthy' ? status : status.toUpperCase();
  return [`  plugin on ${node}`, ...key, word, ...age, ...(detail === '' ? [] : [detail.replaceAll(/\s+/g, ' ')])].join(
    '  ',
  );
};

/** More are counted only. */
const mostNamed = 5;

const hollowText = ({ name, engine, nodes, ready }: HollowGroupStatus, all: readonly NodeStatus[]): string => {
  const lost = all.flatMap((node) =>
    node.hollow && !node.ready && groupOfNode(node.name) === name ? [node.name] : [],
  );
  const named = [...lost.slice(0, mostNamed), ...(lost.length > mostNamed ? ['…'] : [])];
  const state = lost.length === 0 ? 'all Ready' : `${ready} Ready, NOT Ready: ${named.join(', ')}`;
  return `  hollow nodes ${name} (${engine})  ${nodes}, ${state}`;
};

/**
 * A status for people.
 * @param dead names of boxes that do not run
 * @param now milliseconds since the epoch
 */
export const statusText = (status: StackStatus, dead: readonly string[], now: number): string => {
  const { stack, platform, cluster, encryption, plugins, degraded, faults } = status;
  const { type, encrypted, keys, migration } = encryption;
  const why = encrypted.status === 'True' ? '' : `: ${encrypted.message}`;
  return [
    `stack ${stack} (${platform})  ${cluster.ready ? 'ready' : 'NOT ready'}  ${cluster.version}`.trimEnd(),
    ...cluster.nodes.flatMap((node) =>
      node.hollow ? [] : [`  node ${node.name}  ${node.ready ? 'Ready' : 'NOT Ready'}`],
    ),
    ...cluster.hollowGroups.map((group) => hollowText(group, cluster.nodes)),
    `  encryption ${type ?? 'unknown'}  Encrypted=${encrypted.status} (${encrypted.reason})${why}`,
    ...keys.filter(({ state }) => state !== 'unused').map(keyText),
    ...(migration === null ? [] : [`  migrating ${migrationCounts(migration)}`.trimEnd()]),
    ...plugins.map((plugin) => pluginText(plugin, now)),
    ...alarmLines(degraded),
    ...faults.map((fault) => `  fault ${faultText(fault, now)}`),
    ...dead.map((name) => `  box ${name} does not run: 'understudy up ${stack}' starts it`),
  ].join('\n');
};
