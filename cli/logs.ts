import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { rootOf } from '../cluster/boxRoot.ts';
import { componentOf, servicesOf } from '../cluster/components.ts';
import { inspectCluster, nodeLogsDir } from '../cluster/inspect.ts';
import { Failure, UsageFailure } from '../common/failure.ts';
import { isCloud } from '../infra/cloudSettings.ts';
import { cloudLogs } from './cloud/logs.ts';
import { kindLogs } from './kind/logs.ts';
import type { Stack } from './stack.ts';

export interface LogsOptions {
  /** Of this node only. */
  readonly node?: string;
  readonly follow?: boolean;
  /** How many of the last lines. */
  readonly lines: string;
}

/** Of the platform's pods, by the name of the container. */
const podLogs = (root: string, component: string): AsyncIterator<string> =>
  glob(`var/log/pods/*/${component}/*.log`, { cwd: root })[Symbol.asyncIterator]();

const podComponents = [
  'kms-plugin',
  'kms-health-reporter',
  'kube-apiserver-operator',
  'installer',
  'hollow-node-controller',
  'kubemark',
  'kwok',
  'admission-webhook',
];

/** The newest log files of a component's services, that of the service which wrote last at the end. */
const componentLogs = async (logs: string, component: string): Promise<readonly string[]> => {
  const files = servicesOf(component)
    .map((service) => join(logs, service, 'current'))
    .filter((file) => existsSync(file));
  const written = await Promise.all(files.map(async (file) => ({ file, at: (await stat(file)).mtimeMs })));
  return written.sort((one, other) => one.at - other.at).map(({ file }) => file);
};

const logFiles = async (root: string, logs: string, component: string): Promise<readonly string[]> => {
  const current = await componentLogs(logs, component);
  if (current.length > 0) return current;
  const files: string[] = [];
  const iterator = podLogs(root, component);
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
    files.push(join(root, next.value));
  return files;
};

/** Prints the log of a component of the boxes (kube-apiserver, kubelet, …) or of a platform's pod (kms-plugin, …). */
export const logs = async (stack: Stack, component: string, options: LogsOptions): Promise<void> => {
  if (stack.settings.platform === 'kind') return kindLogs(stack, component, options);
  if (isCloud(stack.settings.platform)) return cloudLogs(stack, component, options);
  const state = await inspectCluster(stack.clusterDir);
  if (state === undefined) {
    throw new Failure({
      tried: `read the log of ${component}`,
      got: `stack ${stack.name} is not up`,
      next: `run 'understudy up ${stack.name}'`,
    });
  }
  const nodes = state.plan.nodes.map((node) => node.name).filter((name) => (options.node ?? name) === name);
  const found = await Promise.all(
    nodes.map((node) => logFiles(rootOf(state.plan, node), nodeLogsDir(state.plan, node), component)),
  );
  const files = found.flat();
  if (files.length === 0) {
    const folders = await Promise.all(nodes.map((node) => readdir(nodeLogsDir(state.plan, node)).catch(() => [])));
    const components = [...new Set([...podComponents, ...folders.flat().map(componentOf)])].sort().join(', ');
    throw new UsageFailure({
      tried: `find the log of '${component}'${options.node === undefined ? '' : ` on node '${options.node}'`}`,
      got: `there is none; there are logs of ${components} on ${state.plan.nodes.map((node) => node.name).join(', ')}`,
      next: 'name one of those',
    });
  }
  const args = ['--lines', options.lines, ...(options.follow === true ? ['--follow=name', '--retry'] : []), ...files];
  const tail = spawn('tail', args, { stdio: 'inherit' });
  await new Promise<void>((resolve) => tail.once('close', () => resolve()));
};
