import { eventually } from './home.ts';
import type { Kubectl } from './kubectl.ts';

interface Listed {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
    readonly spec: { readonly nodeName?: string };
    readonly status: {
      readonly phase?: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

const list = async (kubectl: Kubectl, ...args: readonly string[]): Promise<Listed['items']> =>
  (JSON.parse(await kubectl('get', ...args, '-o', 'json')) as Listed).items;

const isReady = ({ status }: Listed['items'][number]): boolean =>
  status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;

/** Names of a group's nodes that are Ready, sorted. */
export const readyNodesOf = async (kubectl: Kubectl, group: string): Promise<readonly string[]> =>
  (await list(kubectl, 'nodes', '-l', `understudy.dev/hollow-group=${group}`))
    .filter(isReady)
    .map(({ metadata }) => metadata.name)
    .sort();

/** Waits until a group has exactly these nodes, all Ready. */
export const groupHas = (kubectl: Kubectl, group: string, nodes: readonly string[]): Promise<unknown> =>
  eventually(`nodes ${nodes.join(', ')} of group ${group}`, async () => {
    const all = (await list(kubectl, 'nodes', '-l', `understudy.dev/hollow-group=${group}`)).map(
      ({ metadata }) => metadata.name,
    );
    const ready = await readyNodesOf(kubectl, group);
    if (all.length === nodes.length && nodes.toSorted().every((name, index) => name === ready[index])) return true;
    throw new Error(`there are ${all.join(', ')}; Ready are ${ready.join(', ')}`);
  });

export interface PodPlace {
  readonly name: string;
  readonly node: string;
  readonly phase: string;
}

/** Where the pods of a namespace are. @param selector of labels */
export const podsOf = async (kubectl: Kubectl, namespace: string, selector = ''): Promise<readonly PodPlace[]> =>
  (await list(kubectl, 'pods', '-n', namespace, ...(selector === '' ? [] : ['-l', selector]))).map(
    ({ metadata, spec, status }) => ({
      name: metadata.name,
      node: spec.nodeName ?? '',
      phase: status.phase ?? '',
    }),
  );

/** Waits until this many pods run (or have come to another phase), and says where. */
export const podsIn = (
  kubectl: Kubectl,
  namespace: string,
  selector: string,
  count: number,
  phase = 'Running',
): Promise<readonly PodPlace[]> =>
  eventually(`${count} pods ${selector} in ${namespace} ${phase}`, async () => {
    const pods = await podsOf(kubectl, namespace, selector);
    const there = pods.filter((pod) => pod.phase === phase);
    if (there.length === count && pods.length === count) return there;
    throw new Error(pods.map((pod) => `${pod.name} on ${pod.node || 'no node'} ${pod.phase}`).join(', ') || 'no pods');
  });
