import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../common/failure.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import type { Progress } from '../../common/progress.ts';
import { cpuMs } from '../processes.ts';
import { median, rounded } from '../statistics.ts';
import { forEachOf, type NodesCluster, sendStubbornly } from './cluster.ts';
import { type Contestant, startOurs, startPeer } from './contestants.ts';
import { type Tally, tallyLeases, tallyReadyNodes, tallyRunningPods } from './tally.ts';

export interface KwokCounts {
  /** Made from nothing one after the other; the first ones carry the pods, since of more plain kwok may lose some. */
  readonly nodes: readonly [number, ...number[]];
  readonly pods: number;
  readonly rounds: number;
}

export const kwokCounts: KwokCounts = { nodes: [1_000, 5_000], pods: 10_000, rounds: 1 };

/** Of one contestant in one round. */
interface Turn {
  /** Seconds until all are Ready, and until all have a lease besides: then kwok tends them. */
  readonly nodes: readonly { readonly ready: number; readonly tended: number; readonly cpu: number }[];
  /** Seconds from the first request until all are Running. */
  readonly pods: number;
  /** Processor time of the API server over that, seconds, as `cpu` of the nodes: it tells more where a machine has other work too. */
  readonly podsCpu: number;
  /** Resident with all of that, bytes. */
  readonly kwok: number;
  readonly controller: number;
}

const timeoutMs = 600_000;
/** Whoever has not got there by then never will: leases run out sooner than they are renewed. It counts as this time. */
const giveUpMs = 300_000;
/** For what others do about new nodes: the controllers of the cluster take taints away, and collect leases of nodes that are gone. */
const settleMs = 20_000;
const namespace = 'bench-pods';
const pods = `/api/v1/namespaces/${namespace}/pods`;

/** Runs it. @returns beside its result the seconds of processor time that the API server has had meanwhile */
const withCpu = async <T>(cluster: NodesCluster, work: () => Promise<T>): Promise<readonly [T, number]> => {
  const used = async (): Promise<number> => {
    const pids = await cluster.processes('kube-apiserver', (argument) => argument.startsWith('--etcd-servers='));
    const times = await Promise.all(pids.map(cpuMs));
    return times.reduce((sum, ms) => sum + ms, 0) / 1000;
  };
  const before = await used();
  const result = await work();
  return [result, (await used()) - before];
};

const scaleAndTime = async (
  client: KubeClient,
  contestant: Contestant,
  count: number,
  progress: Progress,
): Promise<{ readonly ready: number; readonly tended: number }> => {
  const ready = await tallyReadyNodes(client, contestant.labelSelector);
  const leases = await tallyLeases(client, contestant.prefix);
  try {
    const begin = performance.now();
    const reached = (tally: Tally): Promise<number> =>
      tally.reaches(count, giveUpMs).catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error;
        progress.note(`gave up: ${error.message.split('\n')[0]}`);
        return begin + giveUpMs;
      });
    const [readyAt, leasedAt] = await Promise.all([reached(ready), reached(leases), contestant.scale(count, 0)]);
    const tendedAt = Math.max(readyAt, leasedAt);
    return { ready: (readyAt - begin) / 1000, tended: (tendedAt - begin) / 1000 };
  } finally {
    ready.stop();
    leases.stop();
  }
};

/** Takes all nodes away, and waits for the end of their leases, which are collected as garbage. */
const clear = async (client: KubeClient, contestant: Contestant, count: number): Promise<void> => {
  const ready = await tallyReadyNodes(client, contestant.labelSelector);
  const leases = await tallyLeases(client, contestant.prefix);
  try {
    await contestant.scale(0, count);
    await ready.reaches(0, timeoutMs);
    await leases.reaches(0, timeoutMs);
  } finally {
    ready.stop();
    leases.stop();
  }
};

const runPods = async (client: KubeClient, { prefix }: Contestant, count: number, nodes: number): Promise<number> => {
  const running = await tallyRunningPods(client, namespace);
  try {
    const begin = performance.now();
    await forEachOf(count, (index) => {
      const body = {
        metadata: { name: `pod-${index}` },
        spec: { nodeName: `${prefix}${index % nodes}`, containers: [{ name: 'main', image: 'example.org/image' }] },
      };
      return sendStubbornly(client, { method: 'POST', path: pods, body }, 409);
    });
    return ((await running.reaches(count, timeoutMs)) - begin) / 1000;
  } finally {
    running.stop();
  }
};

const removePods = async (client: KubeClient, count: number): Promise<void> => {
  const query = { gracePeriodSeconds: '0' };
  await forEachOf(count, (index) =>
    sendStubbornly(client, { method: 'DELETE', path: `${pods}/pod-${index}`, query }, 404),
  );
};

const annotateNamespace = (client: KubeClient, spoofed: string | null): Promise<unknown> =>
  client.apply(`/api/v1/namespaces/${namespace}`, 'bench', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, annotations: spoofed === null ? {} : { spoofed } },
  });

const takeTurn = async (
  cluster: NodesCluster,
  contestant: Contestant,
  counts: KwokCounts,
  progress: Progress,
): Promise<Turn> => {
  const client = cluster.client();
  await clear(client, contestant, 0);
  const nodes: Turn['nodes'][number][] = [];
  const scale = async (count: number): Promise<void> => {
    await sleep(settleMs);
    const [seconds, cpu] = await withCpu(cluster, () => scaleAndTime(client, contestant, count, progress));
    nodes.push({ ...seconds, cpu });
  };
  const [first, ...more] = counts.nodes;
  await scale(first);
  await sleep(settleMs);
  await annotateNamespace(client, contestant.annotations.spoofed ?? null);
  await sleep(1_000);
  const [running, podsCpu] = await withCpu(cluster, () => runPods(client, contestant, counts.pods, first));
  await removePods(client, counts.pods);
  let before = first;
  for (const count of more) {
    await clear(client, contestant, before);
    await scale(count);
    before = count;
  }
  const memory = await contestant.memory();
  await clear(client, contestant, before);
  return { nodes, pods: running, podsCpu, ...memory };
};

const row = (name: string, { nodes, pods: running, podsCpu, kwok, controller }: Turn, counts: KwokCounts): string =>
  [
    name.padEnd(6),
    ...nodes.map(({ ready, tended, cpu }, index) =>
      `${counts.nodes[index]} nodes ${ready.toFixed(1)} s (tended ${tended.toFixed(1)} s, CPU ${cpu.toFixed(1)} s)`.padStart(
        56,
      ),
    ),
    `${counts.pods} pods ${running.toFixed(1)} s (CPU ${podsCpu.toFixed(1)} s)`.padStart(38),
    `kwok ${(kwok / 1e6).toFixed(0)} MB`.padStart(13),
    controller === 0 ? '' : `controller ${(controller / 1e6).toFixed(0)} MB`.padStart(19),
  ].join('');

const compare = (ours: readonly number[], peers: readonly number[]) => ({
  seconds: rounded(median(ours)),
  peerSeconds: rounded(median(peers)),
  ratio: rounded(median(ours.map((seconds, round) => seconds / (peers[round] ?? Number.NaN)))),
});

/**
 * Nodes and pods of kwok beside plain kwok, on the same API server in turns. Ratios are medians of our seconds by the peer's of the
 * same round.
 */
export const measureKwok = async (
  cluster: NodesCluster,
  progress: Progress,
  counts: KwokCounts = kwokCounts,
): Promise<Readonly<Record<string, unknown>>> => {
  const turns: Record<'ours' | 'peer', Turn[]> = { ours: [], peer: [] };
  for (let round = 0; round < counts.rounds; round++) {
    for (const name of ['peer', 'ours'] as const) {
      const contestant = await progress.phase(`up for kwok, ${name}`, () =>
        name === 'ours' ? startOurs(cluster) : startPeer(cluster),
      );
      try {
        const turn = await progress.phase(`kwok, ${name}, round ${round + 1} of ${counts.rounds}`, () =>
          takeTurn(cluster, contestant, counts, progress),
        );
        turns[name].push(turn);
        progress.note(row(name, turn, counts));
      } finally {
        await contestant.stop();
      }
    }
  }
  const both = (of: (turn: Turn) => number) => compare(turns.ours.map(of), turns.peer.map(of));
  const nodes = counts.nodes.map((count, index) => {
    const at = (field: 'ready' | 'tended' | 'cpu') => both((turn) => turn.nodes[index]?.[field] ?? Number.NaN);
    return [`nodes${count}`, { ...at('ready'), tended: at('tended'), apiServerCpu: at('cpu') }];
  });
  return {
    ...Object.fromEntries(nodes),
    [`pods${counts.pods}`]: { ...both((turn) => turn.pods), apiServerCpu: both((turn) => turn.podsCpu) },
    rssBytes: median(turns.ours.map(({ kwok }) => kwok)),
    controllerRssBytes: median(turns.ours.map(({ controller }) => controller)),
    peerRssBytes: median(turns.peer.map(({ kwok }) => kwok)),
  };
};
