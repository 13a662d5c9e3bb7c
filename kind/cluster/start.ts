import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { administratorClient, type ClusterAccess, readAccess } from '../../cluster/access.ts';
import { identityConfiguration } from '../../cluster/encryptionConfiguration.ts';
import { ensureInotify } from '../../cluster/inotify.ts';
import { cniConfiguration } from '../../cluster/nodeConfiguration.ts';
import { waitForApi } from '../../cluster/nodeObjects.ts';
import { exec, tryExec } from '../../common/exec.ts';
import { Failure } from '../../common/failure.ts';
import { writeFileWhole } from '../../common/files.ts';
import { withLock } from '../../common/lock.ts';
import type { Progress } from '../../common/progress.ts';
import { readNodeFiles, writeKindAccess } from './access.ts';
import { followAddresses } from './addresses.ts';
import { hasBalancer, type KindSpec, kindConfiguration, kindNameOf, markFiles, nodeFolders } from './configuration.ts';
import type { EngineName } from './engine.ts';
import { seedKeystores } from './keystore.ts';
import { ensureBalancerImage, removeBalancerImage } from './loadBalancer.ts';
import { connectPods, podNetworkAt } from './network.ts';
import {
  controlPlanesOf,
  inNode,
  type KindNode,
  kubernetesNodes,
  listNodes,
  ownNodes,
  refuseForeign,
} from './nodes.ts';
import {
  containerCount,
  type KindRecord,
  readKindRecord,
  startingOrder,
  startsOf,
  stillSettled,
  writeKindRecord,
} from './record.ts';
import { changeCredentials } from './registryCredentials.ts';
import { removeVolumes } from './volumes.ts';

/** What a kind cluster is made with. */
export interface KindSupplies {
  /** Path of the program kind. */
  readonly kind: string;
  readonly engine: EngineName;
  /** Made here where it has an archive; else one that the engine has or pulls. */
  readonly image: { readonly reference: string; readonly archive?: string };
  /** Docker's config.json for the kubelets, as text; without it they have none of ours. */
  readonly registryCredentials?: string;
}

export interface StartedKindCluster {
  readonly access: ClusterAccess;
  /** Name of the image of pod sandboxes, which the nodes have. */
  readonly pauseImage: string;
}

/** Of a node that was started again: the kubelet and etcd come first, and a KMS provider is waited for in vain. */
const aliveWithinMs = 180_000;

export const kindLock = (dir: string): string => `${dir}.lock`;

/** kind chooses Docker by itself, unless told. */
const kindEnvironment = (engine: EngineName): NodeJS.ProcessEnv => ({
  ...process.env,
  KIND_EXPERIMENTAL_PROVIDER: engine,
});

const networkExists = async (engine: EngineName): Promise<boolean> =>
  (await tryExec(engine, ['network', 'inspect', 'kind'])).code === 0;

const ensureImages = async (spec: KindSpec, supplies: KindSupplies, progress: Progress): Promise<void> => {
  const { engine, image } = supplies;
  const { reference, archive } = image;
  if (archive === undefined) return;
  if ((await tryExec(engine, ['image', 'inspect', reference])).code !== 0) {
    await progress.phase(`load ${reference} into ${engine}`, () => exec(engine, ['load', '--input', archive]));
  }
  if (hasBalancer(spec)) await ensureBalancerImage(engine, reference, progress);
};

/** The last lines of kind's that say what went wrong: its own, and kubeadm's error. */
export const explainKind = (output: string): string => {
  const lines = output.trimEnd().split('\n');
  const telling = lines.filter((line) => /^(ERROR|error|Command Output|panic)|\[ERROR|timed out|cannot /.test(line));
  return (telling.length > 0 ? telling : lines).slice(-6).join('\n    ').slice(0, 1_500);
};

const createNodes = async (spec: KindSpec, dir: string, supplies: KindSupplies): Promise<void> => {
  const { kind, engine, image } = supplies;
  const folders = nodeFolders(dir);
  for (let place = 1; place <= spec.controlPlanes; place++) {
    const folder = folders.encryption(place);
    await writeFileWhole(join(folder, 'encryption-config.yaml'), identityConfiguration, 0o644);
    // The installer is root without any capability, and so a stranger to a folder of a user who is not root. Nobody else of this
    // machine gets past the cluster's directory.
    await chmod(folder, 0o777);
  }
  for (let place = 1; place <= spec.controlPlanes + spec.workers; place++) {
    await writeFileWhole(folders.network(place), cniConfiguration({ podCidr: podNetworkAt(place) }), 0o644);
  }
  for (const [path, content] of Object.entries(markFiles(spec.stack))) {
    await mkdir(dirname(join(folders.mark, path)), { recursive: true, mode: 0o755 });
    await writeFile(join(folders.mark, path), content, { mode: 0o644 });
  }
  const configuration = join(dir, 'kind', 'cluster.yaml');
  await writeFile(configuration, kindConfiguration(spec, dir, image.archive !== undefined), { mode: 0o600 });
  const args = [
    'create',
    'cluster',
    '--name',
    kindNameOf(spec.stack),
    '--image',
    image.reference,
    '--config',
    configuration,
  ];
  const files = ['--kubeconfig', join(dir, 'kind', 'kubeconfig'), '--quiet'];
  const result = await tryExec(kind, [...args, ...files], { env: kindEnvironment(engine) });
  if (result.code === 0) return;
  throw new Failure({
    tried: `make kind cluster ${kindNameOf(spec.stack)}`,
    got: explainKind(result.stdout + result.stderr),
    next: `'${engine} info' and free memory (1 GB a node) are the first to check; 'understudy down ${spec.stack}' removes what there is`,
  });
};

/** Removes nodes by name: they are ours. */
const removeNodes = async (engine: EngineName, nodes: readonly KindNode[]): Promise<void> => {
  if (nodes.length === 0) return;
  // Podman lets each have 10 s to end, Docker none.
  const atOnce = engine === 'podman' ? ['--time', '0'] : [];
  await exec(engine, ['rm', '--force', ...atOnce, '--volumes', ...nodes.map(({ name }) => name)]);
};

const refuseChange = (before: KindRecord, spec: KindSpec): void => {
  if (isDeepStrictEqual(before.spec, spec)) return;
  throw new Failure({
    tried: `change kind cluster ${kindNameOf(spec.stack)}`,
    got: 'nodes, mounts and ports of a kind cluster are fixed when it is made',
    next: `run 'understudy down ${spec.stack}' and then 'understudy up ${spec.stack}'; what is in the cluster is lost by that`,
  });
};

/** A cluster that was whole is not made anew in silence: what was in it, the engine still believes to be there. */
const refuseLoss = (before: KindRecord | undefined, found: readonly KindNode[]): void => {
  if (before?.complete !== true) return;
  const { stack } = before.spec;
  throw new Failure({
    tried: `find the nodes of kind cluster ${kindNameOf(stack)}`,
    got: `${found.length} of ${containerCount(before.spec)} are there: somebody removed the others`,
    next: `run 'understudy down ${stack}' and then 'understudy up ${stack}'`,
  });
};

const waitUntilAnswering = async (access: ClusterAccess): Promise<void> => {
  const api = administratorClient(access);
  await waitForApi(api, aliveWithinMs).finally(api.close);
};

const pauseImageOf = async (engine: EngineName, [node]: readonly KindNode[]): Promise<string> => {
  const list = await inNode(engine, node?.name ?? '', ['ctr', '--namespace', 'k8s.io', 'images', 'ls', '--quiet']);
  return list.split('\n').find((name) => /\/pause:[^@]+$/.test(name)) ?? '';
};

/**
 * Makes a kind cluster be there: made where there is none or only half of one, its nodes started where they were stopped.
 * Returns when its API server answers and its pods have a network, which is before its nodes are Ready.
 * @param dir the cluster's own directory
 * @throws Failure where there is one of that name that is not ours, or of another shape
 */
export const startKindCluster = async (
  spec: KindSpec,
  dir: string,
  supplies: KindSupplies,
  progress: Progress,
): Promise<StartedKindCluster> => {
  const { kind, engine, image } = supplies;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return withLock(kindLock(dir), async () => {
    const found = await listNodes(engine, spec.stack);
    const before = await readKindRecord(dir);
    refuseForeign(found, spec.stack, dir, before);
    const isWhole = before?.complete === true && found.length === containerCount(before.spec);
    const credentials = supplies.registryCredentials;
    if (isWhole) {
      refuseChange(before, spec);
      const settled = stillSettled(before.settled, found, credentials);
      const access = await readAccess(dir);
      if (settled !== undefined && access !== undefined) {
        await waitUntilAnswering(access);
        return { access, pauseImage: settled.pauseImage };
      }
      const names = found.filter(({ running }) => !running).map(({ name }) => name);
      const stopped = startingOrder(names, before);
      if (stopped.length > 0) {
        await progress.phase(`start ${stopped.join(', ')}`, () => exec(engine, ['start', ...stopped]));
      }
    } else {
      refuseLoss(before, found);
      if (found.length > 0) progress.note(`half a cluster is there (${found.length} nodes): making it anew`);
      await removeNodes(engine, found);
      await removeVolumes(engine, spec.stack);
      await rm(join(dir, 'kind'), { recursive: true, force: true });
      const madeNetwork = before?.madeNetwork === true || !(await networkExists(engine));
      const record = { spec, engine, image: image.reference, madeNetwork };
      await writeKindRecord(dir, { ...record, complete: false });
      await ensureInotify(progress);
      await ensureImages(spec, supplies, progress);
      await progress.phase(`kind cluster ${kindNameOf(spec.stack)}`, () => createNodes(spec, dir, supplies));
      const made = (await listNodes(engine, spec.stack)).map(({ name, address }) => [name, address] as const);
      await writeKindRecord(dir, { ...record, complete: true, addresses: Object.fromEntries(made) });
    }
    const containers = await listNodes(engine, spec.stack);
    const nodes = kubernetesNodes(containers);
    const controlPlanes = controlPlanesOf(nodes);
    const env = kindEnvironment(engine);
    // Each is a command of the engine, which takes a tenth of a second and more.
    const [kubeconfig, files] = await Promise.all([
      exec(kind, ['get', 'kubeconfig', '--name', kindNameOf(spec.stack)], { env }),
      readNodeFiles(engine, controlPlanes),
      seedKeystores(engine, dir, controlPlanes),
      isWhole || credentials !== undefined ? changeCredentials(engine, nodes, credentials) : undefined,
      isWhole ? followAddresses(engine, controlPlanes) : undefined,
      image.archive !== undefined ? connectPods(engine, spec, nodes) : undefined,
    ]);
    const access = await writeKindAccess(dir, controlPlanes, kubeconfig, files);
    await waitUntilAnswering(access);
    // Of a node that was just started, containerd comes up only now.
    const pauseImage = await pauseImageOf(engine, controlPlanes);
    const record = await readKindRecord(dir);
    const settled = { startedAt: startsOf(containers), credentials: credentials !== undefined, pauseImage };
    if (record !== undefined) await writeKindRecord(dir, { ...record, settled });
    return { access, pauseImage };
  });
};

/** Removes a kind cluster that this directory's stack made, whatever became of it, and its files. Safe to repeat. */
export const removeKindCluster = async (
  stack: string,
  dir: string,
  engine: EngineName,
  progress: Progress,
): Promise<boolean> =>
  withLock(kindLock(dir), async () => {
    const record = await readKindRecord(dir);
    const found = await listNodes(engine, stack);
    // Of a stack that made nothing, one of its name is somebody else's.
    const ours = ownNodes(found, dir, record);
    if (ours.length > 0)
      await progress.phase(`remove kind cluster ${kindNameOf(stack)}`, () => removeNodes(engine, ours));
    if (record !== undefined) await removeVolumes(engine, stack);
    if (record !== undefined && hasBalancer(record.spec)) await removeBalancerImage(engine);
    // Refused, and so left, while another cluster is in it.
    if (record?.madeNetwork === true) await tryExec(engine, ['network', 'rm', 'kind']);
    await rm(dir, { recursive: true, force: true });
    await rm(kindLock(dir), { force: true });
    return ours.length > 0 || record !== undefined;
  });
