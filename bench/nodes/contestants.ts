import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hollowGroup } from '../../common/hollowGroups.ts';
import { groupLabel } from '../../common/hollowNodes.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import { silentProgress } from '../../common/progress.ts';
import { waitFor } from '../../common/waitFor.ts';
import { ensureKwokStages, ensurePrograms } from '../../toolchain/index.ts';
import { forEachOf, type NodesCluster, sendStubbornly, writeGroups } from './cluster.ts';

/** Who simulates nodes by kwok, and is ready to. */
export interface Contestant {
  /** Of its nodes, up to their number. */
  readonly prefix: string;
  readonly labelSelector: string;
  /** Annotations of the namespace of pods for its nodes. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Asks for this many nodes where there are `before`; they are there some time later. */
  scale(count: number, before: number): Promise<unknown>;
  /** Of kwok and of what else it needs, bytes. */
  memory(): Promise<{ readonly kwok: number; readonly controller: number }>;
  stop(): Promise<void>;
}

const groupOf = (count: number) => hollowGroup.parse({ name: 'bench', engine: 'kwok', count });

const resident = async (pids: readonly number[]): Promise<number> => {
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/status`, 'utf8')));
  return texts.reduce((sum, text) => sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024, 0);
};

/** A cluster with hollow nodes of kwok, as users have it; at first without any node. */
export const startOurs = async (cluster: NodesCluster): Promise<Contestant> => {
  await cluster.up([{ name: 'bench', engine: 'kwok', count: 1 }]);
  const client = cluster.client();
  return {
    prefix: 'hollow-bench-',
    labelSelector: `${groupLabel}=bench`,
    annotations: { spoofed: 'true' },
    scale: (count) => writeGroups(client, count === 0 ? [] : [groupOf(count)]),
    memory: async () => ({
      kwok: await resident(await cluster.processes('kwok', (argument) => argument.startsWith('--node-ip='))),
      controller: await resident(await cluster.processes('node', (argument) => argument.startsWith('--node-address='))),
    }),
    // What it leaves, `up` with other settings takes away.
    stop: async () => {},
  };
};

/** As kwok's documentation has it. @see https://kwok.sigs.k8s.io/docs/user/kwok-manage-nodes-and-pods/ */
const peerNode = (name: string): object => ({
  metadata: {
    name,
    annotations: { 'node.alpha.kubernetes.io/ttl': '0', 'kwok.x-k8s.io/node': 'fake' },
    labels: {
      'beta.kubernetes.io/arch': 'amd64',
      'beta.kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/role': 'agent',
      'node-role.kubernetes.io/agent': '',
      type: 'kwok',
    },
  },
  spec: { taints: [{ key: 'kwok.x-k8s.io/node', value: 'fake', effect: 'NoSchedule' }] },
  status: {
    allocatable: { cpu: '32', memory: '256Gi', pods: '110' },
    capacity: { cpu: '32', memory: '256Gi', pods: '110' },
    nodeInfo: {
      architecture: 'amd64',
      bootID: '',
      containerRuntimeVersion: '',
      kernelVersion: '',
      kubeProxyVersion: 'fake',
      kubeletVersion: 'fake',
      machineID: '',
      operatingSystem: 'linux',
      osImage: '',
      systemUUID: '',
    },
    phase: 'Running',
  },
});

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** The peer's nodes: made by the client that makes all pods of the bench. */
const scalePeer = (client: KubeClient, prefix: string, count: number, before: number): Promise<void> =>
  count > before
    ? forEachOf(count - before, (index) =>
        sendStubbornly(
          client,
          { method: 'POST', path: '/api/v1/nodes', body: peerNode(`${prefix}${before + index}`) },
          409,
        ),
      )
    : forEachOf(before - count, (index) =>
        sendStubbornly(client, { method: 'DELETE', path: `/api/v1/nodes/${prefix}${count + index}` }, 404),
      );

/**
 * A cluster without anything of ours for hollow nodes, and beside it kwok as its documentation runs it out of a cluster: with its own
 * stages and an administrator's kubeconfig, and its defaults besides.
 */
export const startPeer = async (cluster: NodesCluster): Promise<Contestant> => {
  await cluster.up([]);
  const client = cluster.client();
  const { kwok } = await ensurePrograms(['kwok'], silentProgress);
  const dir = await mkdtemp(join(tmpdir(), 'us-bench-kwok-'));
  const stages = await Promise.all((await ensureKwokStages(silentProgress)).map((path) => readFile(path, 'utf8')));
  const config = join(dir, 'stages.yaml');
  await writeFile(config, stages.join('\n---\n'));
  const port = await freePort();
  const args = [
    `--kubeconfig=${cluster.kubeconfigPath}`,
    '--manage-all-nodes=false',
    '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
    `--config=${config}`,
    '--node-lease-duration-seconds=40',
    `--server-address=127.0.0.1:${port}`,
  ];
  const child = spawn(kwok, args, { stdio: 'ignore', cwd: dir });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  const serves = async (): Promise<true | undefined> =>
    (await fetch(`http://127.0.0.1:${port}/healthz`)).ok || undefined;
  try {
    await waitFor(serves, { what: 'kwok ready', timeoutMs: 30_000, next: `run it by hand: ${kwok} ${args.join(' ')}` });
  } catch (error) {
    await stop();
    throw error;
  }
  const prefix = 'peer-';
  return {
    prefix,
    labelSelector: 'type=kwok',
    annotations: {},
    scale: (count, before) => scalePeer(client, prefix, count, before),
    memory: async () => ({ kwok: await resident([child.pid ?? 0]), controller: 0 }),
    stop,
  };
};
