import { inspectCluster } from '../cluster/inspect.ts';
import { type ClusterStatus, clusterStatus } from '../cluster/status.ts';
import { requireAccess } from './access.ts';
import { type OutputOptions, printResult } from './output.ts';
import type { Stack } from './stack.ts';

const statusText = (stack: Stack, { cluster, encryption, plugins }: ClusterStatus, dead: readonly string[]): string =>
  [
    `stack ${stack.name} (${stack.settings.platform})  ${cluster.ready ? 'ready' : 'NOT ready'}  ${cluster.version}`,
    ...cluster.nodes.map((node) => `  node ${node.name}  ${node.ready ? 'Ready' : 'NOT Ready'}`),
    `  encryption ${encryption.type}  Encrypted=${encryption.encrypted.status} (${encryption.encrypted.reason})`,
    ...plugins.map((plugin) => `  plugin on ${plugin.node}  ${plugin.status}  ${plugin.detail}`),
    ...dead.map((name) => `  box ${name} does not run: 'understudy up ${stack.name}' starts it`),
  ].join('\n');

/** How a stack is; exit code 1 if it is not ready. */
export const status = async (stack: Stack, options: OutputOptions): Promise<void> => {
  const access = await requireAccess(stack, `tell the status of stack ${stack.name}`);
  const state = await inspectCluster(stack.clusterDir);
  if (state === undefined) return;
  const found = await clusterStatus(access, state);
  const dead = state.boxes.filter((box) => !box.running).map((box) => box.name);
  const result = { stack: stack.name, platform: stack.settings.platform, ...found };
  printResult(options, result, statusText(stack, found, dead));
  if (!found.cluster.ready) process.exitCode = 1;
};
