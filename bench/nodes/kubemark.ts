import { setTimeout as sleep } from 'node:timers/promises';
import { hollowGroup } from '../../common/hollowGroups.ts';
import { groupLabel, hollowNamespace } from '../../common/hollowNodes.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import type { Progress } from '../../common/progress.ts';
import { waitFor } from '../../common/waitFor.ts';
import { cpuMs, type MemoryUse, memoryUse } from '../processes.ts';
import { median, rounded } from '../statistics.ts';
import { forEachOf, type NodesCluster, writeGroups } from './cluster.ts';
import { peerNamespace, peerSet, preparePeer, scaleSet } from './peerKubemark.ts';
import { tallyReadyNodes } from './tally.ts';

export interface KubemarkCounts {
  readonly nodes: number;
  readonly rounds: number;
}

export const kubemarkCounts: KubemarkCounts = { nodes: 100, rounds: 1 };

interface Contestant {
  readonly name: 'ours' | 'peer';
  readonly namespace: string;
  readonly set: string;
  readonly labelSelector: string;
  scale(count: number): Promise<unknown>;
}

/** Of one contestant in one round; memory is bytes a node. */
interface Turn extends MemoryUse {
  readonly nodesPerSecond: number;
  /** Processor time of a node at rest, in thousandths of a core. */
  readonly milliCpu: number;
}

const timeoutMs = 900_000;
const settleMs = 30_000;
const idleSeconds = 30;
const group = 'bench';
const set = `hollow-${group}`;

const groupsOf = (count: number) =>
  count === 0 ? [] : [hollowGroup.parse({ name: group, engine: 'kubemark', count })];

const ours = (client: KubeClient): Contestant => ({
  name: 'ours',
  namespace: hollowNamespace,
  set,
  labelSelector: `${groupLabel}=${group}`,
  scale: async (count) => {
    await writeGroups(client, groupsOf(count));
    await scaleSet(client, hollowNamespace, set, count);
  },
});

const peer = (client: KubeClient): Contestant => ({
  name: 'peer',
  namespace: peerNamespace,
  set: peerSet,
  labelSelector: 'kubemark=true',
  scale: (count) => scaleSet(client, peerNamespace, peerSet, count),
});

const untilNoPods = (client: KubeClient, { namespace, set: name }: Contestant): Promise<true> =>
  waitFor(
    async () => {
      const { items } = await client.send<{
        readonly items: readonly { readonly metadata: { readonly name: string } }[];
      }>({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods` });
      return items.some(({ metadata }) => metadata.name.startsWith(`${name}-`)) ? undefined : true;
    },
    { what: `the end of the pods of ${name}`, timeoutMs, intervalMs: 1_000, next: 'look at the log of kubelet' },
  );

/** Upstream leaves nodes behind; those of ours go by themselves. */
const clear = async (client: KubeClient, contestant: Contestant): Promise<void> => {
  await contestant.scale(0);
  await untilNoPods(client, contestant);
  const { labelSelector } = contestant;
  if (contestant.name === 'peer') {
    const { items } = await client.send<{
      readonly items: readonly { readonly metadata: { readonly name: string } }[];
    }>({ method: 'GET', path: '/api/v1/nodes', query: { labelSelector } });
    await forEachOf(items.length, (index) =>
      client.send({ method: 'DELETE', path: `/api/v1/nodes/${items[index]?.metadata.name}` }),
    );
  }
  const ready = await tallyReadyNodes(client, labelSelector);
  await ready.reaches(0, timeoutMs).finally(() => ready.stop());
};

const mean = (figures: readonly number[]): number => figures.reduce((sum, figure) => sum + figure, 0) / figures.length;

const takeTurn = async (cluster: NodesCluster, contestant: Contestant, count: number): Promise<Turn> => {
  const client = cluster.client();
  const ready = await tallyReadyNodes(client, contestant.labelSelector);
  const begin = performance.now();
  const [readyAt] = await Promise.all([ready.reaches(count, timeoutMs), contestant.scale(count)]).finally(() =>
    ready.stop(),
  );
  await sleep(settleMs);
  const pids = await cluster.processes('kubemark', (argument) => argument.startsWith(`--name=${contestant.set}-`));
  if (pids.length !== count) throw new Error(`${pids.length} processes kubemark of ${count}`);
  const memory = await Promise.all(pids.map(memoryUse));
  const cpu = (): Promise<readonly number[]> => Promise.all(pids.map(cpuMs));
  const [before, since] = [await cpu(), performance.now()];
  await sleep(idleSeconds * 1000);
  const used = mean(await cpu()) - mean(before);
  const elapsed = (performance.now() - since) / 1000;
  await clear(client, contestant);
  return {
    nodesPerSecond: count / ((readyAt - begin) / 1000),
    rss: mean(memory.map(({ rss }) => rss)),
    pss: mean(memory.map(({ pss }) => pss)),
    anonymous: mean(memory.map(({ anonymous }) => anonymous)),
    milliCpu: used / elapsed,
  };
};

const row = (name: string, { nodesPerSecond, rss, pss, anonymous, milliCpu }: Turn): string =>
  [
    name.padEnd(6),
    `${nodesPerSecond.toFixed(2)} nodes/s`.padStart(14),
    `RSS ${(rss / 1e6).toFixed(1)} MB`.padStart(14),
    `PSS ${(pss / 1e6).toFixed(1)} MB`.padStart(14),
    `of its own ${(anonymous / 1e6).toFixed(1)} MB`.padStart(22),
    `${milliCpu.toFixed(1)} mCPU at rest`.padStart(20),
  ].join('');

/**
 * Nodes with a kubelet each, as our stack runs them and as upstream does, in turns in one cluster: from the order for more replicas until
 * all are Ready, the image being there.
 */
export const measureKubemark = async (
  cluster: NodesCluster,
  progress: Progress,
  { nodes, rounds }: KubemarkCounts = kubemarkCounts,
): Promise<Readonly<Record<string, unknown>>> => {
  await progress.phase('up for kubemark', () => cluster.up([{ name: group, engine: 'kubemark', count: 1 }]));
  const client = cluster.client();
  const { spec } = await client.send<{
    readonly spec: {
      readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
    };
  }>({ method: 'GET', path: `/apis/apps/v1/namespaces/${hollowNamespace}/statefulsets/${set}` });
  await preparePeer(client, spec.template.spec.containers[0]?.image ?? '');
  const contestants = [peer(client), ours(client)];
  for (const contestant of contestants) await clear(client, contestant);
  const turns: Record<Contestant['name'], Turn[]> = { ours: [], peer: [] };
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      const { name } = contestant;
      const turn = await progress.phase(`kubemark, ${name}, round ${round + 1} of ${rounds}`, () =>
        takeTurn(cluster, contestant, nodes),
      );
      turns[name].push(turn);
      progress.note(row(name, turn));
    }
  }
  const of = (name: Contestant['name'], field: keyof Turn): number => median(turns[name].map((turn) => turn[field]));
  const ratio = (field: keyof Turn): number =>
    rounded(median(turns.ours.map((turn, round) => turn[field] / (turns.peer[round]?.[field] ?? Number.NaN))));
  return {
    nodes,
    nodesPerSecond: rounded(of('ours', 'nodesPerSecond')),
    peerNodesPerSecond: rounded(of('peer', 'nodesPerSecond')),
    nodesPerSecondRatio: ratio('nodesPerSecond'),
    rssBytesPerNode: Math.round(of('ours', 'rss')),
    peerRssBytesPerNode: Math.round(of('peer', 'rss')),
    pssBytesPerNode: Math.round(of('ours', 'pss')),
    peerPssBytesPerNode: Math.round(of('peer', 'pss')),
    pssRatio: ratio('pss'),
    ownBytesPerNode: Math.round(of('ours', 'anonymous')),
    peerOwnBytesPerNode: Math.round(of('peer', 'anonymous')),
    milliCpuPerNode: rounded(of('ours', 'milliCpu'), 1),
    peerMilliCpuPerNode: rounded(of('peer', 'milliCpu'), 1),
  };
};
