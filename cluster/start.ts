import { mkdir, writeFile } from 'node:fs/promises';
import { Failure } from '../common/failure.ts';
import { withLock } from '../common/lock.ts';
import type { Progress } from '../common/progress.ts';
import { waitFor } from '../common/waitFor.ts';
import { administratorClient, type ClusterAccess, ensureAccess } from './access.ts';
import { boxPid, removeBox, startBox } from './box.ts';
import { type BoxPrograms, configurationDigest, prepareRoot, startedDigest, writeMembershipFiles } from './boxRoot.ts';
import { killBox, knownBoxes, machineHierarchies, mendCgroups, missingControllers } from './cgroups.ts';
import { rolesExistPath } from './components.ts';
import { type Authorities, loadAuthorities } from './credentials.ts';
import { checkDisk } from './diskSpace.ts';
import { allowDns } from './dnsRole.ts';
import { ensureInotify } from './inotify.ts';
import { readMachine } from './machine.ts';
import { ensureBridge, routedDestinations, routePods } from './network.ts';
import type { MachineFacts } from './nodeConfiguration.ts';
import { declareNodes, forgetNode, readyNodes, waitForApi } from './nodeObjects.ts';
import { patientClient } from './patientClient.ts';
import {
  type ClusterPlan,
  type ClusterSpec,
  etcdPrefixOf,
  kubernetesNodesOf,
  type NodePlan,
  planCluster,
} from './plan.ts';
import { clusterLock, readRecord, writeRecord } from './record.ts';
import { changeRegistryCredentials, writeRegistryCredentials } from './registryCredentials.ts';
import { chooseNetwork } from './subnet.ts';

/** Puts an image into the container runtime of a box. */
export type ImageImport = (boxPid: number) => Promise<void>;

export interface ClusterSupplies {
  readonly programs: BoxPrograms;
  readonly pauseImage: { readonly reference: string; readonly import: ImageImport };
  /** Docker's config.json for the kubelets, as text; without it they have none. */
  readonly registryCredentials?: string;
}

/** Between all clusters of this machine, whoever's they are: two that start at once must not choose the same network. */
const networkLock = '/run/lock/understudy-network.lock';

/** Why a cluster cannot become what is asked of it; undefined where it can. */
export const refuseChange = (from: ClusterSpec, to: ClusterSpec): Failure | undefined => {
  const next = `run 'understudy down ${to.name}' and then 'understudy up ${to.name}'; what is in the cluster is lost by that`;
  if (from.controlPlanes !== to.controlPlanes) {
    return new Failure({
      tried: `change cluster ${to.name} from ${from.controlPlanes} to ${to.controlPlanes} control-plane nodes`,
      got: "an etcd cluster's members are fixed when it is made",
      next,
    });
  }
  if (from.openshift !== to.openshift) {
    return new Failure({
      tried: `change cluster ${to.name} to openshift: ${to.openshift}`,
      got: `its objects are below ${etcdPrefixOf(from)} in etcd, and nobody would find them below ${etcdPrefixOf(to)}`,
      next: `set openshift: ${from.openshift}, or ${next}`,
    });
  }
  return undefined;
};

/**
 * Makes sure that a cluster can become what is asked of it.
 * @throws Failure where that takes making it anew, or more room on the disk
 */
export const checkChange = async (spec: ClusterSpec, dir: string): Promise<void> => {
  await checkDisk(spec, dir);
  const record = await readRecord(dir);
  const refused = record && refuseChange(record.spec, spec);
  if (refused !== undefined) throw refused;
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
  { programs, registryCredentials }: ClusterSupplies,
  authorities: Authorities,
): Promise<number> => {
  const running = await boxPid(plan.id, node.name);
  const isCurrent = (await startedDigest(plan, node)) === configurationDigest(plan, node, machine, programs);
  if (running !== undefined && isCurrent) {
    await writeMembershipFiles(plan, node);
    await changeRegistryCredentials(plan, node, running, registryCredentials);
    return running;
  }
  await killBox(plan.id, node.name);
  const binds = await prepareRoot(plan, node, machine, programs, authorities);
  await writeRegistryCredentials(plan, node, registryCredentials);
  return startBox(plan, node, binds);
};

const checkCgroups = async (): Promise<void> => {
  const missing = await missingControllers(await machineHierarchies());
  if (missing.length === 0) return;
  throw new Failure({
    tried: 'give the boxes cgroups of their own',
    got: `this machine has no controller ${missing.join(', ')} below /sys/fs/cgroup`,
    next: mendCgroups,
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
  await ensureInotify(progress);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return withLock(clusterLock(dir), async () => {
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
              await ensureBox(plan, node, machine, supplies, authorities),
            ],
          ),
        ),
      ),
    );
    const kubernetesPids = new Map(kubernetesNodesOf(plan).map((node) => [node.name, pids.get(node.name) ?? 0]));
    const api = administratorClient(access);
    try {
      await Promise.all([
        routePods(plan, kubernetesPids),
        progress.phase('sandbox image on all nodes', () =>
          Promise.all([...kubernetesPids.values()].map(supplies.pauseImage.import)),
        ),
        progress
          .phase('kube-apiserver alive', () => waitForApi(api))
          .then(async () => {
            const patient = patientClient(api);
            await allowDns(patient);
            await Promise.all(
              [...kubernetesPids.values()].map((pid) => writeFile(`/proc/${pid}/root/${rolesExistPath}`, '')),
            );
            await declareNodes(patient, kubernetesNodesOf(plan));
            for (const name of surplus) await forgetNode(patient, name);
          }),
      ]);
    } finally {
      api.close();
    }
    return access;
  });
};

/** Waits until all nodes that a cluster was asked to have are Ready, and says how many those are. */
export const waitForNodes = async (dir: string, access: ClusterAccess): Promise<number> => {
  const record = await readRecord(dir);
  if (record === undefined) return 0;
  const wanted = kubernetesNodesOf(planCluster(record.spec, dir, record.network)).map((node) => node.name);
  const api = administratorClient(access);
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
