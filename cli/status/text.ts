import { faultText } from '../encryption/faults.ts';
import { migrationCounts } from '../encryption/milestones.ts';
import type { KeyStatus } from '../encryption/state.ts';
import type { PluginStatus } from './cluster.ts';
import type { StackStatus } from './stackStatus.ts';

const keyText = ({ id, mode, state, migrated }: KeyStatus): string =>
  `  key ${id}  ${mode}  ${state}${migrated ? '  migrated' : ''}`;

const pluginText = ({ node, keyID, kekID, status, detail }: PluginStatus): string =>
  ['  plugin on', node, ...(keyID === null ? [] : [`key ${keyID}`, kekID ?? '']), status, detail]
    .join('  ')
    .replace('on  ', 'on ');

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
    ...cluster.nodes.map((node) => `  node ${node.name}  ${node.ready ? 'Ready' : 'NOT Ready'}`),
    `  encryption ${type ?? 'unknown'}  Encrypted=${encrypted.status} (${encrypted.reason})${why}`,
    ...keys.filter(({ state }) => state !== 'unused').map(keyText),
    ...(migration === null ? [] : [`  migrating ${migrationCounts(migration)}`.trimEnd()]),
    ...plugins.map(pluginText),
    ...(degraded.status === 'True' ? degraded.message.split('\n').map((line) => `  DEGRADED ${line}`) : []),
    ...faults.map((fault) => `  fault ${faultText(fault, now)}`),
    ...dead.map((name) => `  box ${name} does not run: 'understudy up ${stack}' starts it`),
  ].join('\n');
};
