import { join } from 'node:path';
import { z } from 'zod';
import { exec } from '../../common/exec.ts';
import { Failure } from '../../common/failure.ts';
import { kindNameOf, nodeFolders } from './configuration.ts';
import type { EngineName } from './engine.ts';

const roleLabel = 'io.x-k8s.kind.role';

const inspected = z.object({
  Name: z.string(),
  State: z.object({ Running: z.boolean() }),
  Config: z.object({ Labels: z.record(z.string(), z.string()) }),
  Mounts: z.array(z.object({ Source: z.string().default(''), Destination: z.string() })),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string().default('') })) }),
});

/** A container that is a node of a kind cluster. */
export interface KindNode {
  readonly name: string;
  readonly role: string;
  readonly running: boolean;
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
    .map(({ Name, State, Config, Mounts, NetworkSettings }) => ({
      name: Name.replace(/^\//, ''),
      role: Config.Labels[roleLabel] ?? '',
      running: State.Running,
      address: Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '',
      mounts: Mounts.map(({ Source }) => Source),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

/** All nodes of a kind cluster of the name that is a stack's, whoever's they are. */
export const listNodes = async (engine: EngineName, stack: string): Promise<readonly KindNode[]> => {
  const filter = `label=io.x-k8s.kind.cluster=${kindNameOf(stack)}`;
  const ids = (await exec(engine, ['ps', '--all', '--quiet', '--filter', filter])).split('\n').filter(Boolean);
  return ids.length === 0 ? [] : parseInspected(await exec(engine, ['inspect', ...ids]));
};

/** Whether a node was made for the cluster in `dir`: it sees that cluster's mark. */
export const isOurs = (node: KindNode, dir: string): boolean => node.mounts.includes(nodeFolders(dir).mark);

/**
 * Makes sure that all nodes of that name are of the cluster in `dir`.
 * @throws Failure where one is somebody else's: it is left alone
 */
export const refuseForeign = (nodes: readonly KindNode[], stack: string, dir: string): void => {
  const name = kindNameOf(stack);
  const foreign = nodes.filter((node) => !isOurs(node, dir)).map((node) => node.name);
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

/** The file of the cluster's directory that says what it was asked to be. */
export const kindRecordPath = (dir: string): string => join(dir, 'kind.json');
