import { setTimeout as sleep } from 'node:timers/promises';
import { graceSeconds, type Turn, turns } from '../../common/apiServerPods.ts';
import { Failure, hasCode, messageOf } from '../../common/failure.ts';
import type { KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import type { ApiServerProcess, Instance } from './apiServerProcess.ts';
import type { ManifestFolder } from './manifestFolder.ts';
import { askServing, judgeServing, type ServingProcess } from './serving.ts';
import { endOfMirror } from './staticPodEnd.ts';
import { otherTurn, renderTurn } from './staticPodManifest.ts';

export interface StaticPodApiServerOptions {
  /** Name of this node, with which the kubelet ends the names of its static pods. */
  readonly node: string;
  readonly manifests: ManifestFolder;
  /** At this node's address, where the second pod is met as long as it listens. */
  readonly own: KubeClient;
  /** At 127.0.0.1, where the first pod alone listens. */
  readonly loopback: KubeClient;
  /** How long a new one may take until it is ready, milliseconds. */
  readonly readyWithinMs: number;
  readonly log: Log;
}

const pollMs = 50;
/** From one question to the kubelet's word on a pod to the next: that comes by the API, some time after the fact. */
const askEndMs = 500;
/** A pod that kubeadm made has 30 s to end, and the kubelet may be busy. */
const endsWithinMs = 90_000;

/** What is met at an address: a process, or why none. */
type Met = ServingProcess | { readonly refused: boolean };

const isServing = (met: Met): met is ServingProcess => 'startedAt' in met;

const isSame = (a: ServingProcess, b: ServingProcess): boolean => Math.abs(a.startedAt - b.startedAt) < 1;

/**
 * kube-apiserver as two static pods of the kubelet, of which one runs. They share the port, so one is there before the other
 * goes. Changing one in its place would take the API away for a quarter of a minute: the kubelet looks every 10 to 15 s
 * whether a static pod of the same name has ended (`allowPodStart` in kubernetes/pkg/kubelet/pod_workers.go).
 */
export const staticPodApiServer = (options: StaticPodApiServerOptions): ApiServerProcess => {
  const { node, manifests, own, loopback, log } = options;
  const clientOf = (turn: Turn): KubeClient => (turn === turns[0] ? loopback : own);

  const meetAt = async (client: KubeClient): Promise<Met> => {
    try {
      return (await askServing(client)) ?? { refused: false };
    } catch (error) {
      const refused = hasCode(error, 'ECONNREFUSED');
      if (!refused) log.debug({ server: client.server, reason: messageOf(error) }, 'no answer');
      return { refused };
    }
  };

  /** Who is met as which of the two; connections are closed. */
  const meet = async (): Promise<Readonly<Record<Turn, Met>>> => {
    const [first, atNode] = await Promise.all([meetAt(loopback), meetAt(own)]);
    for (const met of [first, atNode]) if (isServing(met)) met.close();
    const isFirst = isServing(first) && isServing(atNode) && isSame(first, atNode);
    return { 'kube-apiserver': first, 'kube-apiserver-b': isFirst ? { refused: true } : atNode };
  };

  /** Waits until one that the kubelet is to end takes no connection any more, and the rest of its time is over. */
  const untilEnded = async (turn: Turn, signal?: AbortSignal): Promise<void> => {
    const deadline = performance.now() + endsWithinMs;
    for (;;) {
      signal?.throwIfAborted();
      const met = (await meet())[turn];
      if (!isServing(met) && met.refused) break;
      if (performance.now() > deadline) {
        throw new Failure({
          tried: `end static pod ${turn}`,
          got: `it serves on after ${endsWithinMs / 1000} s`,
          next: "see the kubelet's log of this node",
        });
      }
      await sleep(pollMs, undefined, { signal });
    }
    await sleep(graceSeconds * 1000, undefined, { signal });
  };

  const end = async (turn: Turn, signal?: AbortSignal): Promise<void> => {
    await manifests.hide(turn);
    await untilEnded(turn, signal);
  };

  /** Has the kubelet start one, made of the other. @returns what its pod is told by */
  const show = async (turn: Turn): Promise<string> => {
    const content = (await manifests.read(otherTurn(turn))) ?? (await manifests.read(turn));
    if (content === undefined) {
      throw new Failure({
        tried: `start static pod ${turn}`,
        got: 'there is no manifest of kube-apiserver on this node, shown or hidden',
        next: "run 'understudy down', then 'understudy up'",
      });
    }
    const revision = new Date().toISOString();
    await manifests.show(turn, renderTurn(content, turn, revision));
    return revision;
  };

  /** Waits until `turn` is ready with the file of that hash. @param old whoever else may answer at its address */
  const untilReady = async (turn: Turn, revision: string, old: Met, hash: string, signal: AbortSignal) => {
    const tried = `start kube-apiserver with the new encryption configuration as static pod ${turn}`;
    const next = 'see its log; the old one serves on';
    const deadline = performance.now() + options.readyWithinMs;
    const session = isServing(old) ? old.session : undefined;
    let askEndAt = performance.now() + askEndMs;
    let said = 'it does not answer';
    let met: ServingProcess | undefined;
    try {
      for (;;) {
        signal.throwIfAborted();
        try {
          met ??= await askServing(clientOf(turn), session);
          if (met !== undefined && isServing(old) && isSame(met, old)) {
            met.close();
            met = undefined;
          }
          if (met !== undefined) {
            const verdict = await judgeServing(met, hash);
            if (verdict.serves) return;
            said = verdict.said;
          }
        } catch {
          // Nobody listens yet, or the process that was met has gone.
          met?.close();
          met = undefined;
        }
        if (met === undefined && performance.now() > askEndAt) {
          const ended = await endOfMirror(clientOf(otherTurn(turn)), `${turn}-${node}`, revision);
          if (ended !== undefined) throw new Failure({ tried, got: `it ended (${ended})`, next });
          askEndAt = performance.now() + askEndMs;
        }
        if (performance.now() > deadline) {
          throw new Failure({ tried, got: `${said} after ${options.readyWithinMs / 1000} s`, next });
        }
        await sleep(pollMs, undefined, { signal });
      }
    } finally {
      met?.close();
    }
  };

  const turnOf = (name: string): Turn => turns.find((turn) => turn === name) ?? turns[0];

  return {
    instances: async () => {
      const [shown, met] = await Promise.all([manifests.shown(), meet()]);
      return shown.map((turn): Instance => {
        const serving = met[turn];
        return isServing(serving)
          ? { name: turn, since: serving.startedAt, loaded: serving.configHash ?? '' }
          : { name: turn, since: 0, loaded: undefined };
      });
    },
    start: async () => {
      await show(turns[0]);
    },
    end: (name) => end(turnOf(name)),
    // As another pod: the kubelet would wait longer from crash to crash of the same.
    restart: async (name) => {
      await show(otherTurn(turnOf(name)));
      await manifests.hide(turnOf(name));
    },
    handOver: async (hash, signal) => {
      const [[serving], met] = await Promise.all([manifests.shown(), meet()]);
      const idle = serving === undefined ? turns[0] : otherTurn(serving);
      const old = serving === undefined ? { refused: true } : met[serving];
      const begin = performance.now();
      const revision = await show(idle);
      try {
        await untilReady(idle, revision, old, hash, signal);
      } catch (error) {
        await manifests.hide(idle);
        if (!signal.aborted) await untilEnded(idle, signal);
        throw error;
      }
      const readyAt = performance.now();
      if (serving !== undefined) await end(serving, signal);
      log.info(
        {
          from: serving,
          to: idle,
          readyAfterMs: Math.round(readyAt - begin),
          endedAfterMs: Math.round(performance.now() - readyAt),
        },
        'another kube-apiserver has taken over',
      );
    },
  };
};
