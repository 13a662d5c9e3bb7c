import { readAccess } from '../cluster/access.ts';
import { waitForConvergence } from '../cluster/convergence.ts';
import { ensureDns } from '../cluster/dns.ts';
import { inspectCluster } from '../cluster/inspect.ts';
import type { ClusterSpec } from '../cluster/plan.ts';
import { type ClusterSupplies, checkChange, startCluster, waitForNodes } from '../cluster/start.ts';
import { gatherSupplies } from '../cluster/supplies.ts';
import type { Progress } from '../common/progress.ts';
import { isCloud } from '../infra/cloudSettings.ts';
import { installMissing } from '../toolchain/index.ts';
import { encryptedAsAsked } from './encrypt.ts';
import { hasNoState } from './engineHome.ts';
import { exclusively } from './exclusive.ts';
import { checkHollowRoom, waitForHollowNodes } from './hollowNodes.ts';
import { type OutputOptions, progressFor } from './output.ts';
import { watchingPlugin } from './pluginWatch.ts';
import { requireRoot } from './root.ts';
import { checkSharedDir } from './sharedDir.ts';
import type { Stack } from './stack.ts';
import { registryCredentialsOf } from './stackSecrets.ts';
import { ensureStackPrograms } from './toolchain.ts';
import { type BringUp, conclude, madeAccess, runEngine } from './upEnd.ts';
import { leavingTheRest, type UpTime, withinTime } from './upTimeout.ts';

const specOf = ({ name, settings }: Stack): ClusterSpec => {
  const { controlPlanes, workers, egress, openshift } = settings;
  return { name, controlPlanes, workers, egress, openshift };
};

/**
 * Boxes that died since the last `up` (a reboot ends all of them) are started before the engine asks their API server,
 * and credentials that were damaged are issued anew.
 */
const heal = async (stack: Stack, supplies: ClusterSupplies, progress: Progress): Promise<boolean> => {
  const state = await inspectCluster(stack.clusterDir);
  if (state === undefined) return false;
  const dead = state.boxes.filter((box) => !box.running).map((box) => box.name);
  const access = await readAccess(stack.clusterDir);
  if (dead.length === 0 && access !== undefined) return false;
  if (dead.length > 0) progress.note(`not running: ${dead.join(', ')}`);
  if (access === undefined) progress.note('credentials are missing or damaged');
  await startCluster(state.plan.spec, stack.clusterDir, supplies, progress);
  return true;
};

/** Whether neither this machine nor the engine's state has anything of the stack. */
const isNew = async (stack: Stack): Promise<boolean> => {
  return (await inspectCluster(stack.clusterDir)) === undefined && hasNoState(stack);
};

/**
 * Lets the engine bring the stack up. The boxes of a new one start while the engine does, and the resource that declares
 * them finds them there.
 * @returns how many resources changed
 */
const bringUp = async (stack: Stack, supplies: ClusterSupplies, time: UpTime): Promise<number> => {
  const { progress } = time;
  const [started, engine] = await Promise.allSettled([
    (await isNew(stack)) ? startCluster(specOf(stack), stack.clusterDir, supplies, progress) : undefined,
    runEngine(stack, time),
  ]);
  // The engine's error would only repeat this one.
  if (started.status === 'rejected') throw started.reason;
  if (engine.status === 'rejected') throw engine.reason;
  return engine.value;
};

const bringUpLocal: BringUp = async (stack, options, begin, time, plugin) => {
  const { progress } = time;
  await exclusively(stack, progress, async () => {
    await checkSharedDir();
    await checkChange(specOf(stack), stack.clusterDir);
    const registryCredentials = await registryCredentialsOf(stack);
    await checkHollowRoom(stack);
    await installMissing(progress);
    // Before the engine, so that a first build of the programs tells its progress.
    await ensureStackPrograms(stack, progress);
    const supplies = { ...(await gatherSupplies(progress)), registryCredentials };
    const healed = await heal(stack, supplies, progress);
    const changes = await bringUp(stack, supplies, time);
    const access = await madeAccess(stack);
    const last = progress.phase('nodes and KMS plugin ready, encrypted as asked, DNS', () =>
      Promise.all([
        waitForNodes(stack.clusterDir, access),
        waitForHollowNodes(stack, access, progress),
        encryptedAsAsked(stack, { timeout: '3m', progress }),
        plugin.ready(progress),
        ensureDns(stack.clusterDir, access),
        waitForConvergence(access),
      ]),
    );
    const [nodes, hollowNodes, { type }, readiness] = await leavingTheRest(last);
    const done = { changes, healed, nodes, hollowNodes, encryption: type, readiness };
    await conclude(stack, options, begin, progress, access.kubeconfig, done);
  });
};

export interface UpOptions extends OutputOptions {
  /** A duration as Go writes it. */
  readonly timeout?: string;
}

/** What only other platforms take is loaded for them alone. */
const bringUpOf = async ({ name, settings: { platform } }: Stack): Promise<BringUp> => {
  if (platform === 'kind') return (await import('./kind/up.ts')).bringUpKind;
  if (isCloud(platform)) return (await import('./cloud/up.ts')).bringUpCloud;
  requireRoot(`make cluster ${name}`);
  return bringUpLocal;
};

/** Makes the stack be as its settings say; changes nothing where it is. */
export const up = async (stack: Stack, options: UpOptions): Promise<void> => {
  const begin = performance.now();
  const bring = await bringUpOf(stack);
  await withinTime(
    stack,
    options.timeout,
    progressFor(options),
    (time) => watchingPlugin(stack, begin, (plugin) => bring(stack, options, begin, time, plugin)),
    // The whole command is to end in time: since the process began.
    0,
  );
};
