import { setTimeout as sleep } from 'node:timers/promises';
import { inspectCluster } from '../cluster/inspect.ts';
import { EndingFailure, Failure } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';
import { waitFor } from '../common/waitFor.ts';
import { isCloud } from '../infra/cloudSettings.ts';
import { explainWorkload, untilInVain } from '../providers/kubernetes/await/examine.ts';
import { itemsOf } from '../providers/kubernetes/await/explanation.ts';
import { type KubeClient, kubeClient } from '../providers/kubernetes/client.ts';
import { connectionFrom, loadKubeconfig } from '../providers/kubernetes/kubeconfig.ts';
import type { KubeObject } from '../providers/kubernetes/objects.ts';
import { observeList } from '../providers/kubernetes/observe.ts';
import { findKubeconfig } from './access.ts';
import {
  lookAtPlugin,
  type PluginBefore,
  type PluginReadiness,
  pluginPod,
  pluginReadinessText,
} from './pluginReady.ts';
import type { Stack } from './stack.ts';

const namespace = 'openshift-kms-plugin';
const daemonSetPath = `/apis/apps/v1/namespaces/${namespace}/daemonsets/kms-plugin`;
const podMapping = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

const timeoutMs = 120_000;
const againMs = 200;

/** Watches the KMS plugin of a stack while `up` works. */
export interface PluginWatch {
  /** Waits until it is ready on all control-plane nodes. @throws EndingFailure with the cause where it does not get so */
  ready(progress: Progress): Promise<PluginReadiness>;
}

const connect = async (stack: Stack): Promise<KubeClient | undefined> => {
  const kubeconfig = await findKubeconfig(stack);
  return kubeconfig === undefined ? undefined : kubeClient(await connectionFrom(loadKubeconfig(kubeconfig), {}));
};

const failure = (stack: Stack, seen: PluginReadiness | undefined, lines: readonly string[]): EndingFailure =>
  new EndingFailure({
    tried: `have the KMS plugin ready on all control-plane nodes of stack ${stack.name}`,
    got: [seen === undefined ? 'nothing is known of its pods' : pluginReadinessText(seen), ...lines].join('\n'),
    next: `mend that and run 'understudy up ${stack.name}' again; 'understudy logs kms-plugin ${stack.name}' shows its log`,
  });

/** Waits until the plugin has no hope. @returns what its pods say; never where they get ready */
const untilHopeless = async (
  client: KubeClient,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const daemonSet: KubeObject = (await client.send({ method: 'GET', path: daemonSetPath, signal })).body;
  const live = { ...daemonSet, kind: 'DaemonSet' };
  await untilInVain(
    client,
    () => live,
    (line) => progress.note(`KMS plugin: ${line}`),
    signal,
  );
  return explainWorkload(client, live);
};

const explainDaemonSet = async (client: KubeClient): Promise<readonly string[]> => {
  const signal = AbortSignal.timeout(5_000);
  try {
    const { body } = await client.send({ method: 'GET', path: daemonSetPath, signal });
    return await explainWorkload(client, { ...body, kind: 'DaemonSet' });
  } catch {
    return [];
  }
};

/** Of a cluster that is the stack's own its settings tell, before all of them are there. */
const countControlPlanes = async (stack: Stack, client: KubeClient, signal: AbortSignal): Promise<number> => {
  if (!isCloud(stack.settings.platform)) return stack.settings.controlPlanes;
  const query = { labelSelector: 'node-role.kubernetes.io/master' };
  return itemsOf((await client.send({ method: 'GET', path: '/api/v1/nodes', query, signal })).body).length;
};

const watchPlugin = async (stack: Stack, begin: number): Promise<PluginWatch & { close(): void }> => {
  const state = await inspectCluster(stack.clusterDir);
  const dead = new Set((state?.boxes ?? []).filter(({ running }) => !running).map(({ name }) => name));
  const began = performance.timeOrigin + begin;
  const before: Omit<PluginBefore, 'controlPlanes'> = { began, dead };
  let last: PluginReadiness | undefined;
  let round = new AbortController();

  const look = async (signal: AbortSignal, seen: () => void): Promise<void> => {
    const client = await connect(stack);
    if (client === undefined) return;
    try {
      const controlPlanes = await countControlPlanes(stack, client, signal);
      for await (const items of observeList(client, podMapping, namespace, 'app=kms-plugin', signal)) {
        const pods = items.map((item) => pluginPod.parse(item));
        last = lookAtPlugin(last, pods, { ...before, controlPlanes }, (performance.now() - begin) / 1000);
        seen();
      }
    } finally {
      client.close();
    }
  };
  const watch = async (signal: AbortSignal, seen: () => void = () => {}): Promise<void> => {
    while (!signal.aborted) {
      // The API server may not be there yet, or take over new credentials: it is asked for as long as `up` works.
      await look(signal, seen).catch(() => {});
      await sleep(againMs, undefined, { signal }).catch(() => {});
    }
  };
  void watch(round.signal);

  return {
    ready: async (progress) => {
      // A connection of before a box died may be silent for good.
      round.abort();
      round = new AbortController();
      let isFresh = false;
      void watch(round.signal, () => {
        isFresh = true;
      });
      const client = await connect(stack);
      if (client === undefined) throw failure(stack, last, []);
      const { signal } = round;
      const probe = async (): Promise<PluginReadiness | undefined> => {
        signal.throwIfAborted();
        return isFresh && last?.after !== undefined ? last : undefined;
      };
      const hopeless = untilHopeless(client, progress, signal).then(
        (lines) => {
          throw failure(stack, last, lines);
        },
        () => new Promise<never>(() => {}),
      );
      try {
        return await Promise.race([waitFor(probe, { what: 'it ready', timeoutMs, next: '' }), hopeless]);
      } catch (error) {
        if (error instanceof EndingFailure || !(error instanceof Failure)) throw error;
        throw failure(stack, last, await explainDaemonSet(client));
      } finally {
        client.close();
      }
    },
    close: () => round.abort(),
  };
};

/** Watches the KMS plugin for as long as `work` does. @param begin when the command began, by `performance.now()` */
export const watchingPlugin = async <T>(
  stack: Stack,
  begin: number,
  work: (plugin: PluginWatch) => Promise<T>,
): Promise<T> => {
  const plugin = await watchPlugin(stack, begin);
  try {
    return await work(plugin);
  } finally {
    plugin.close();
  }
};
