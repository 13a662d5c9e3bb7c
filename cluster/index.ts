import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../common/failure.ts';
import { withLock } from '../common/lock.ts';
import type { Progress } from '../common/progress.ts';
import { waitFor } from '../common/waitFor.ts';
import { type ClusterAccess, ensureAccess } from './access.ts';
import { apiClient } from './apiClient.ts';
import { boxPid, removeBox, startBox } from './box.ts';
import {
  type BoxPrograms,
  configurationDigest,
  prepareRoot,
  rootOf,
  startedDigest,
  writeMembershipFiles,
} from './boxRoot.ts';
import { killBox, knownBoxes, machineHierarchies, missingControllers, removeClusterCgroups } from './cgroups.ts';
import { rolesExistPath } from './components.ts';
import { type Authorities, loadAuthorities } from './credentials.ts';
import { readMachine } from './machine.ts';
import { clusterLinks, ensureBridge, removeBridge, routedDestinations, routePods } from './network.ts';
import type { MachineFacts } from './nodeConfiguration.ts';
import { declareNodes, forgetNode, readyNodes, waitForApi } from './nodeObjects.ts';
import {
  type ClusterPlan,
  type ClusterSpec,
  clusterId,
  kubernetesNodesOf,
  type NodePlan,
  planCluster,
  subnetOf,
} from './plan.ts';
import { readRecord, writeRecord } from './record.ts';
import { chooseNetwork } from './subnet.ts';

/** Puts an image into the container runtime of a box. */
export type ImageImport = (boxPid: number) => Promise<void>;

export interface ClusterSupplies {
  readonly programs: BoxPrograms;
  readonly pauseImage: { readonly reference: string; readonly import: ImageImport };
}

const lockOf = (dir: string): string => `${dir}.lock`;

/** Between all clusters of this machine, whoever's they are: two that start at once must not choose the same network. */
const networkLock = '/run/lock/understudy-network.lock';

/**
 * Makes sure that a cluster can become what is asked of it.
 * @throws Failure where that takes making it anew
 */
export const checkChange = async (spec: ClusterSpec, dir: string): Promise<void> => {
  const record = await readRecord(dir);
  if (record === undefined || record.spec.controlPlanes === spec.controlPlanes) return;
  throw new Failure({
    tried: `change cluster ${spec.name} from ${record.spec.controlPlanes} to ${spec.controlPlanes} control-plane nodes`,
    got: "an etcd cluster's members are fixed when it is made",
    next: `run 'understudy down ${spec.name}' and then 'understudy up ${spec.name}'; what is in the cluster is lost by that`,
  });
};

const settle = async (spec: ClusterSpec, dir: string): Promise<ClusterPlan> => {
  await checkChange(spec, dir);
  const record = await readRecord(dir);
  return withLock(networkLock, async () => {
    const network = record?.network ?? chooseNetwork(await routedDestinations());
    const plan = planCluster(spec, dir, network);
    await writeRecord(dir, { spec, network });
    await ensureBridge(plan);
    return plan;
  });
};

const ensureBox = async (
  plan: ClusterPlan,
  node: NodePlan,
  machine: MachineFacts,
  programs: BoxPrograms,
  authorities: Authorities,
): Promise<number> => {
  const running = await boxPid(plan.id, node.name);
  const isCurrent = (await startedDigest(plan, node)) === configurationDigest(plan, node, machine, programs);
  if (running !== undefined && isCurrent) {
    await writeMembershipFiles(plan, node);
    return running;
  }
  await killBox(plan.id, node.name);
  return startBox(plan, node, await prepareRoot(plan, node, machine, programs, authorities));
};

const checkCgroups = async (): Promise<void> => {
  const missing = await missingControllers(await machineHierarchies());
  if (missing.length === 0) return;
  throw new Failure({
    tried: 'give the boxes cgroups of their own',
    got: `this machine has no controller ${missing.join(', ')} below /sys/fs/cgroup`,
    next: 'mount them, or, in a container, start that container with --privileged --cgroupns=host',
  });
};

/**
 * Makes a cluster be as it is asked for: creates what is missing, starts what died, restarts boxes whose configuration
 * changed, removes nodes that are not wanted any more. Returns when the API server answers and the nodes are declared,
 * which is before they are Ready.
 * @param dir the cluster's own directory
 */
export const startCluster = async (
  spec: ClusterSpec,
  dir: string,
  supplies: ClusterSupplies,
  progress: Progress,
): Promise<ClusterAccess> => {
  await checkCgroups();
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return withLock(
    lockOf(dir),
    async () => {
      const plan = await settle(spec, dir);
      const [authorities, machine] = await Promise.all([
        loadAuthorities(plan),
        readMachine(dir, supplies.pauseImage.reference),
      ]);
      const access = await ensureAccess(plan, authorities);
      const wanted = new Set(plan.nodes.map((node) => node.name));
      const surplus = (await knownBoxes(plan.id)).filter((name) => !wanted.has(name));
      for (const name of surplus) await progress.phase(`remove node ${name}`, () => removeBox(plan, name));
      const pids = new Map(
        await Promise.all(
          plan.nodes.map((node) =>
            progress.phase(
              `box ${node.name}`,
              async (): Promise<[string, number]> => [
                node.name,
                await ensureBox(plan, node, machine, supplies.programs, authorities),
              ],
            ),
          ),
        ),
      );
      const kubernetesPids = new Map(kubernetesNodesOf(plan).map((node) => [node.name, pids.get(node.name) ?? 0]));
      const api = apiClient(access.api.host, access.api.port, access.authorityCertificate, access.administrator);
      try {
        await Promise.all([
          routePods(plan, kubernetesPids),
          progress.phase('sandbox image on all nodes', () =>
            Promise.all([...kubernetesPids.values()].map(supplies.pauseImage.import)),
          ),
          progress
            .phase('kube-apiserver alive', () => waitForApi(api))
            .then(async () => {
              await Promise.all(
                [...kubernetesPids.values()].map((pid) => writeFile(`/proc/${pid}/root/${rolesExistPath}`, '')),
              );
              await declareNodes(api, kubernetesNodesOf(plan));
              for (const name of surplus) await forgetNode(api, name);
            }),
        ]);
      } finally {
        api.close();
      }
      return access;
    },
    () => progress.note(`waiting for another command that works on cluster ${spec.name}`),
  );
};

/** Waits until all nodes that a cluster was asked to have are Ready, and says how many those are. */
export const waitForNodes = async (dir: string, access: ClusterAccess): Promise<number> => {
  const record = await readRecord(dir);
  if (record === undefined) return 0;
  const wanted = kubernetesNodesOf(planCluster(record.spec, dir, record.network)).map((node) => node.name);
  const api = apiClient(access.api.host, access.api.port, access.authorityCertificate, access.administrator);
  try {
    return await waitFor(
      async () => {
        const ready = await readyNodes(api);
        const missing = wanted.filter((name) => !ready.has(name));
        if (missing.length > 0) throw new Error(`not Ready: ${missing.join(', ')}`);
        return wanted.length;
      },
      {
        what: 'all nodes Ready',
        timeoutMs: 120_000,
        next: "see 'understudy logs kubelet' and 'understudy logs containerd'",
      },
    );
  } finally {
    api.close();
  }
};

/**
 * Removes a cluster: every process, cgroup, interface, firewall rule and file of it, and nothing else. Needs none of
 * its files, so it works after any crash; does nothing where there is no cluster.
 */
export const removeCluster = async (dir: string, progress: Progress): Promise<void> => {
  await withLock(lockOf(dir), async () => {
    const id = clusterId(dir);
    const record = await readRecord(dir).catch(() => undefined);
    const boxes = await knownBoxes(id);
    await progress.phase('boxes', () => Promise.all(boxes.map((name) => killBox(id, name))));
    await removeClusterCgroups(id);
    await progress.phase('network', () => removeBridge(dir, record?.network));
    await progress.phase('files', () => rm(dir, { recursive: true, force: true }));
  });
  await rm(lockOf(dir), { force: true });
};

export interface BoxState {
  readonly name: string;
  readonly running: boolean;
}

export interface ClusterState {
  readonly plan: ClusterPlan;
  readonly subnet: string;
  readonly boxes: readonly BoxState[];
}

/** What there is of a cluster now; undefined where there is none. */
export const inspectCluster = async (dir: string): Promise<ClusterState | undefined> => {
  const record = await readRecord(dir);
  if (record === undefined) return undefined;
  const plan = planCluster(record.spec, dir, record.network);
  const boxes = await Promise.all(
    plan.nodes.map(async (node) => ({ name: node.name, running: (await boxPid(plan.id, node.name)) !== undefined })),
  );
  return { plan, subnet: subnetOf(record.network), boxes };
};

/** Where the logs of a node's components are. */
export const nodeLogsDir = (plan: ClusterPlan, node: string): string => join(rootOf(plan, node), 'var/log/understudy');

/** What is still there of a cluster that should be gone, for people to read. */
export const leftovers = async (dir: string): Promise<readonly string[]> => {
  const id = clusterId(dir);
  const boxes = await knownBoxes(id);
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').flatMap((line) => line.split(' ')[1] ?? []);
  return [
    ...boxes.map((name) => `box ${name}`),
    ...(await clusterLinks(id)).map((name) => `network interface ${name}`),
    ...mounts.filter((mount) => mount.startsWith(`${dir}/`)).map((mount) => `mount ${mount}`),
    ...(existsSync(dir) ? [`folder ${dir}`] : []),
  ];
};
