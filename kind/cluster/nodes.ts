import { z } from 'zod';
import { exec, tryExec } from '../../common/exec.ts';
import { Failure } from '../../common/failure.ts';
import { waitFor } from '../../common/waitFor.ts';
import { hasBalancer, kindNameOf, nodeFolders } from './configuration.ts';
import type { EngineName } from './engine.ts';
import type { KindRecord } from './record.ts';

const roleLabel = 'io.x-k8s.kind.role';

const inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  State: z.object({ Running: z.boolean(), StartedAt: z.string() }),
  Config: z.object({ Labels: z.record(z.string(), z.string()) }),
  Mounts: z.array(z.object({ Source: z.string().default(''), Destination: z.string() })),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string().default('') })) }),
});

/** A container of a kind cluster: a node of Kubernetes, or the load balancer before several control planes. */
export interface KindNode {
  /** Of the container: one that is made anew under the same name has another. */
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly running: boolean;
  /** When its container was started last, as the engine writes it. */
  readonly startedAt: string;
  /** IPv4 in kind's network; empty where it does not run. */
  readonly address: string;
  /** Paths of this machine that it sees. */
  readonly mounts: readonly string[];
}

/** Nodes in what `docker inspect` prints. @throws where it is no such list */
export const parseInspected = (json: string): readonly KindNode[] =>
  z
    .array(inspected)
    .parse(JSON.parse(json))
    .map(({ Id, Name, State, Config, Mounts, NetworkSettings }) => ({
      id: Id,
      name: Name.replace(/^\//, ''),
      role: Config.Labels[roleLabel] ?? '',
      running: State.Running,
      startedAt: State.StartedAt,
      address: Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '',
      mounts: Mounts.map(({ Source }) => Source),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

const comeAndGoMs = 10_000;

/** All containers of a kind cluster of the name that is a stack's, whoever's they are. */
export const listNodes = async (engine: EngineName, stack: string): Promise<readonly KindNode[]> => {
  const filter = `label=io.x-k8s.kind.cluster=${kindNameOf(stack)}`;
  // One that is just made or removed is listed without being there: by then another list is right.
  const look = async (): Promise<readonly KindNode[]> => {
    const ids = (await exec(engine, ['ps', '--all', '--quiet', '--filter', filter])).split('\n').filter(Boolean);
    if (ids.length === 0) return [];
    const { code, stdout, stderr } = await tryExec(engine, ['inspect', ...ids]);
    if (code === 0) return parseInspected(stdout);
    throw new Error(stderr.trim());
  };
  const next = `look at '${engine} ps --all'`;
  return waitFor(look, { what: `the containers of kind cluster ${kindNameOf(stack)}`, timeoutMs: comeAndGoMs, next });
};

const isBalancer = ({ role }: KindNode): boolean => role === 'external-load-balancer';

/** Those that are nodes of Kubernetes. */
export const kubernetesNodes = (nodes: readonly KindNode[]): readonly KindNode[] =>
  nodes.filter((node) => !isBalancer(node));

export const controlPlanesOf = (nodes: readonly KindNode[]): readonly KindNode[] =>
  nodes.filter(({ role }) => role === 'control-plane');

/**
 * Those that were made for the cluster in `dir`: each node sees that cluster's mark. A load balancer sees nothing of this
 * machine: it goes with its nodes, and where it has none, with a cluster that was to have one.
 * @param record of the cluster in `dir`, if any
 */
export const ownNodes = (
  nodes: readonly KindNode[],
  dir: string,
  record: Pick<KindRecord, 'spec'> | undefined,
): readonly KindNode[] => {
  const { mark } = nodeFolders(dir);
  const isMarked = ({ mounts }: KindNode): boolean => mounts.includes(mark);
  const balanced = kubernetesNodes(nodes);
  const ownsBalancer =
    balanced.length > 0 ? balanced.every(isMarked) : record !== undefined && hasBalancer(record.spec);
  return nodes.filter((node) => (isBalancer(node) ? ownsBalancer : isMarked(node)));
};

/**
 * Makes sure that all containers of that name are of the cluster in `dir`.
 * @throws Failure where one is somebody else's: it is left alone
 */
export const refuseForeign = (
  nodes: readonly KindNode[],
  stack: string,
  dir: string,
  record: Pick<KindRecord, 'spec'> | undefined,
): void => {
  const name = kindNameOf(stack);
  const own = ownNodes(nodes, dir, record);
  const foreign = nodes.filter((node) => !own.includes(node)).map((node) => node.name);
  if (foreign.length === 0) return;
  throw new Failure({
    tried: `use the name ${name} for a kind cluster`,
    got: `there is a kind cluster ${name} that this stack did not make (${foreign.join(', ')}); it is left as it is`,
    next: `copy the stack file to another name, or remove that cluster: kind delete cluster --name ${name}`,
  });
};

/** Runs a command in a node. @throws Failure with what it said */
export const inNode = (
  engine: EngineName,
  node: string,
  command: readonly string[],
  input?: string | Uint8Array,
): Promise<string> =>
  exec(engine, ['exec', ...(input === undefined ? [] : ['--interactive']), node, ...command], {
    input,
    next: `look at '${engine} logs ${node}'`,
  });
