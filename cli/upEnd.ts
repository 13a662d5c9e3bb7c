import { type ClusterAccess, readAccess } from '../cluster/access.ts';
import { Failure } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import type { EncryptionMode } from './encryption/state.ts';
import { withEngine } from './engine.ts';
import { waitForFirstReports } from './firstReports.ts';
import { type OutputOptions, printResult } from './output.ts';
import { type PluginReadiness, type PluginResult, pluginReadinessText, pluginResult } from './pluginReady.ts';
import type { PluginWatch } from './pluginWatch.ts';
import { fillSharedDir } from './sharedDir.ts';
import type { Stack } from './stack.ts';
import type { UpTime } from './upTimeout.ts';

/** What makes a stack of a platform be as its settings say. @param begin when the command began, by `performance.now()` */
export type BringUp = (
  stack: Stack,
  options: OutputOptions,
  begin: number,
  time: UpTime,
  plugin: PluginWatch,
) => Promise<void>;

/** Lets the engine bring the stack up. @returns how many resources changed */
export const runEngine = async (stack: Stack, time: UpTime): Promise<number> => {
  const { progress, signal } = time;
  const { changes } = await time.ending(
    withEngine(stack, progress, (ready) => {
      signal.throwIfAborted();
      return ready.run(`bring up stack ${stack.name}`, (onEvent) => ready.stack.up({ onEvent, signal }));
    }),
  );
  return changes;
};

/** How to reach the cluster that the engine has made. @throws Failure where it is gone since */
export const madeAccess = async (stack: Stack): Promise<ClusterAccess> => {
  const access = await readAccess(stack.clusterDir);
  if (access !== undefined) return access;
  throw new Failure({
    tried: `reach the cluster of stack ${stack.name}`,
    got: `the engine's state has a cluster that is not in ${stack.clusterDir} any more`,
    next: `run 'understudy down ${stack.name}', then 'understudy up ${stack.name}'`,
  });
};

interface UpResult {
  readonly stack: string;
  /** Resources that were created, updated or deleted. */
  readonly changes: number;
  readonly healed: boolean;
  readonly seconds: number;
  /** Real ones. */
  readonly nodes: number;
  readonly hollowNodes: number;
  /** How secrets and config maps are stored. */
  readonly encryption: EncryptionMode;
  /** null where the cluster's own operator runs it. */
  readonly plugin: PluginResult | null;
}

const storedAs: Readonly<Record<EncryptionMode, string>> = {
  KMS: 'are encrypted in etcd through the KMS v2 plugin',
  aescbc: 'are encrypted in etcd by aescbc',
  aesgcm: 'are encrypted in etcd by aesgcm',
  identity: 'are stored in etcd as plain text',
};

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const summary = (
  { stack, changes, seconds, nodes, hollowNodes, encryption }: UpResult,
  readiness: PluginReadiness | undefined,
  isDefault: boolean,
): string => {
  const name = isDefault ? '' : ` ${stack}`;
  const all =
    hollowNodes === 0 ? counted(nodes, 'node') : `${counted(nodes, 'node')} and ${counted(hollowNodes, 'hollow node')}`;
  return [
    `Stack ${stack} is up after ${seconds.toFixed(1)} s: ${changes} resources changed, ${all} Ready,`,
    `secrets and config maps ${storedAs[encryption]}.`,
    ...(readiness === undefined ? [] : [`${pluginReadinessText(readiness)}.`]),
    '',
    `  npx understudy kubectl${isDefault ? '' : ` --stack ${stack}`} get pods -A   # or: export KUBECONFIG=$(npx understudy kubeconfig${name} --path)`,
    `  npx understudy verify${name}   # reads etcd and proves the encryption`,
    `  npx understudy down${name}     # removes everything`,
  ].join('\n');
};

/** What an `up` came to. */
export interface UpOutcome extends Omit<UpResult, 'stack' | 'seconds' | 'plugin'> {
  /** Undefined where the cluster's own operator runs the plugin. */
  readonly readiness: PluginReadiness | undefined;
}

/** What every `up` ends with once all is as asked for: first reports of health, the files for later steps of a job, the result. */
export const conclude = async (
  stack: Stack,
  options: OutputOptions,
  begin: number,
  progress: Progress,
  kubeconfig: string,
  { readiness, ...outcome }: UpOutcome,
): Promise<void> => {
  await waitForFirstReports(stack, kubeconfig, progress);
  await fillSharedDir(stack);
  const { changes, healed, nodes, hollowNodes, encryption } = outcome;
  const seconds = Number(((performance.now() - begin) / 1000).toFixed(1));
  const plugin = readiness === undefined ? null : pluginResult(readiness);
  const result: UpResult = { stack: stack.name, changes, healed, seconds, nodes, hollowNodes, encryption, plugin };
  printResult(options, result, summary(result, readiness, stack.name === 'local'));
};
