import { administratorClient, type ClusterAccess, readAccess } from '../../cluster/access.ts';
import { waitForConvergence } from '../../cluster/convergence.ts';
import { readyNodes } from '../../cluster/nodeObjects.ts';
import type { Progress } from '../../common/progress.ts';
import { waitFor } from '../../common/waitFor.ts';
import { keepOffHollowNodes } from '../../kind/cluster/daemonSets.ts';
import { readKindRecord } from '../../kind/cluster/record.ts';
import { type KindSupplies, startKindCluster } from '../../kind/cluster/start.ts';
import { encryptedAsAsked } from '../encrypt.ts';
import { hasNoState } from '../engineHome.ts';
import { exclusively } from '../exclusive.ts';
import { checkHollowRoom, waitForHollowNodes } from '../hollowNodes.ts';
import { checkSharedDir } from '../sharedDir.ts';
import type { Stack } from '../stack.ts';
import { registryCredentialsOf } from '../stackSecrets.ts';
import { ensureStackPrograms } from '../toolchain.ts';
import { type BringUp, conclude, madeAccess, runEngine } from '../upEnd.ts';
import { leavingTheRest, type UpTime } from '../upTimeout.ts';
import { gatherKindSupplies, kindSpecOf } from './cluster.ts';

const nodesWithinMs = 300_000;

/** With three control planes one after the other takes several configurations, each by a new pod. */
const encryptedWithin = '10m';

const waitForNodes = async (access: ClusterAccess, count: number): Promise<number> => {
  const api = administratorClient(access);
  try {
    return await waitFor(
      async () => {
        const ready = await readyNodes(api);
        if (ready.size < count) throw new Error(`${ready.size} of ${count} are`);
        return count;
      },
      { what: 'all nodes Ready', timeoutMs: nodesWithinMs, intervalMs: 500, next: "see 'understudy logs kubelet'" },
    );
  } finally {
    api.close();
  }
};

/** Nodes that were stopped since the last `up` are started before the engine asks their API server. */
const heal = async (stack: Stack, supplies: KindSupplies, progress: Progress): Promise<void> => {
  if ((await readKindRecord(stack.clusterDir))?.complete !== true) return;
  await startKindCluster(kindSpecOf(stack), stack.clusterDir, supplies, progress);
};

/** Whether neither this machine nor the engine's state has a whole cluster of the stack. */
const isNew = async (stack: Stack): Promise<boolean> =>
  (await readKindRecord(stack.clusterDir))?.complete !== true && (await hasNoState(stack));

/** Before there are hollow nodes, what is on every node is told to pass them by. */
const makeRoomForHollow = async (stack: Stack): Promise<void> => {
  const access = await readAccess(stack.clusterDir);
  if (access === undefined) return;
  const api = administratorClient(access);
  const keptOff = async (): Promise<true> => {
    await keepOffHollowNodes(api);
    return true;
  };
  const next = "see 'understudy logs kube-apiserver'";
  await waitFor(keptOff, { what: 'DaemonSets kept off hollow nodes', timeoutMs: 60_000, next }).finally(api.close);
};

/**
 * Lets the engine bring the stack up. The nodes of a new one are made while the engine starts, and the resource that declares
 * them finds them there.
 * @returns how many resources changed
 */
const bringUp = async (stack: Stack, supplies: KindSupplies, time: UpTime): Promise<number> => {
  const { progress } = time;
  const failed = new AbortController();
  const begin = async (): Promise<void> => {
    try {
      if (await isNew(stack)) await startKindCluster(kindSpecOf(stack), stack.clusterDir, supplies, progress);
      if (stack.settings.hollowNodes.length > 0) await makeRoomForHollow(stack);
    } catch (error) {
      // The resource would only try the same once more, and images wait for nodes.
      failed.abort();
      throw error;
    }
  };
  const signal = AbortSignal.any([time.signal, failed.signal]);
  const [started, engine] = await Promise.allSettled([begin(), runEngine(stack, { ...time, signal })]);
  // The engine's error would only repeat this one.
  if (started.status === 'rejected') throw started.reason;
  if (engine.status === 'rejected') throw engine.reason;
  return engine.value;
};

/** `up` of a stack with platform kind. */
export const bringUpKind: BringUp = async (stack, options, begin, time, plugin) => {
  const { progress } = time;
  await exclusively(stack, progress, async () => {
    await checkSharedDir();
    await checkHollowRoom(stack);
    const registryCredentials = await registryCredentialsOf(stack);
    const supplies = { ...(await gatherKindSupplies(stack, progress)), registryCredentials };
    await heal(stack, supplies, progress);
    await ensureStackPrograms(stack, progress);
    const changes = await bringUp(stack, supplies, time);
    const access = await madeAccess(stack);
    const last = progress.phase('nodes and KMS plugin ready, encrypted as asked', () =>
      Promise.all([
        waitForNodes(access, stack.settings.controlPlanes + stack.settings.workers),
        waitForHollowNodes(stack, access, progress),
        encryptedAsAsked(stack, { timeout: encryptedWithin, progress }),
        plugin.ready(progress),
        waitForConvergence(access),
      ]),
    );
    const [nodes, hollowNodes, { type }, readiness] = await leavingTheRest(last);
    const done = { changes, healed: false, nodes, hollowNodes, encryption: type, readiness };
    await conclude(stack, options, begin, progress, access.kubeconfig, done);
  });
};
