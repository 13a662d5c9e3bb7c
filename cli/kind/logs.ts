import { spawn } from 'node:child_process';
import { tryExec } from '../../common/exec.ts';
import { Failure, UsageFailure } from '../../common/failure.ts';
import { kubernetesNodes, listNodes, ownNodes } from '../../kind/cluster/nodes.ts';
import { readKindRecord } from '../../kind/cluster/record.ts';
import type { LogsOptions } from '../logs.ts';
import type { Stack } from '../stack.ts';

/** What systemd runs on a node; all else are pods. */
const units: readonly string[] = ['kubelet', 'containerd'];

const nodeName = /^[a-z0-9-]+$/;

/** Prints the log of a component of a kind cluster's nodes or of a platform's pod. */
export const kindLogs = async (stack: Stack, component: string, options: LogsOptions): Promise<void> => {
  const tried = `read the log of ${component}`;
  const record = await readKindRecord(stack.clusterDir);
  if (record === undefined) {
    throw new Failure({ tried, got: `stack ${stack.name} is not up`, next: `run 'understudy up ${stack.name}'` });
  }
  const { engine } = record;
  const all = kubernetesNodes(ownNodes(await listNodes(engine, stack.name), stack.clusterDir, record));
  const nodes = all.map(({ name }) => name).filter((name) => (options.node ?? name) === name);
  const quoted = nodeName.test(component) ? component : 'none';
  const files = `/var/log/pods/*/${quoted}/*.log`;
  const has = async (node: string): Promise<boolean> =>
    units.includes(component) || (await tryExec(engine, ['exec', node, 'sh', '-c', `ls ${files}`])).code === 0;
  const holding = (await Promise.all(nodes.map(async (node) => ((await has(node)) ? [node] : [])))).flat();
  if (holding.length === 0) {
    throw new UsageFailure({
      tried: `find the log of '${component}'`,
      got: `there is none on ${nodes.join(', ') || 'any node'}`,
      next: `name ${units.join(', ')}, or a container of a pod: kube-apiserver, etcd, kms-plugin, installer`,
    });
  }
  const isFollowed = options.follow === true;
  const command = units.includes(component)
    ? `exec journalctl --no-pager -u ${component} -n ${Number(options.lines)}${isFollowed ? ' --follow' : ''}`
    : `exec tail --lines ${Number(options.lines)}${isFollowed ? ' --follow=name --retry' : ''} ${files}`;
  await Promise.all(
    holding.map(async (node) => {
      const tail = spawn(engine, ['exec', node, 'sh', '-c', command], { stdio: 'inherit' });
      await new Promise<void>((resolve) => tail.once('close', () => resolve()));
    }),
  );
};
