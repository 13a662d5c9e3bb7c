import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../common/failure.ts';
import { type HollowGroup, hollowGroups } from '../common/hollowGroups.ts';
import { groupLabel, groupsConfigMap, groupsKey, hollowNamespace } from '../common/hollowNodes.ts';
import type { KubeClient } from '../common/kubeClient.ts';
import type { Log } from '../common/log.ts';
import { createWake } from '../common/wake.ts';
import { type ApiObject, watchList } from '../common/watchList.ts';
import { answerRequests, signingRequests } from './approval/approve.ts';
import { kubeletSigner, type NodePod, type SigningRequest } from './approval/request.ts';
import { touchDaemonSets } from './daemonSets.ts';
import { actOnNodes } from './nodes/act.ts';
import { givenAnnotation, type NodeObject } from './nodes/desired.ts';
import { planNodes } from './nodes/plan.ts';

export interface ControllerOptions {
  readonly client: KubeClient;
  /** InternalIP of kwok's nodes. */
  readonly nodeAddress: string;
  readonly log: Log;
  /** Called once all that there is has been seen. */
  readonly ready: () => void;
  readonly signal: AbortSignal;
}

interface ConfigMap extends ApiObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Some of what is decided depends on the time: a pod that is overdue, a kubelet that should have registered. */
const lookAgainMs = 5_000;
/** The longest rest after work, which is as long as the work otherwise: each of thousands of nodes may have news at once. */
const longestRestMs = 250;
const firstRetryMs = 200;
const longestRetryMs = 5_000;

/** A node without what nothing here looks at, which is most of it. */
const essenceOf = ({ metadata, spec }: NodeObject): NodeObject => {
  const { name, labels = {}, annotations = {} } = metadata;
  const { [givenAnnotation]: given } = annotations;
  return {
    metadata: { name, labels, ...(given !== undefined && { annotations: { [givenAnnotation]: given } }) },
    spec: { taints: spec?.taints ?? [] },
  };
};

/** A field of what is watched; undefined until it has been seen. */
interface Seen {
  groups: readonly HollowGroup[] | undefined;
  nodes: readonly NodeObject[] | undefined;
  pods: readonly NodePod[] | undefined;
  requests: readonly SigningRequest[] | undefined;
}

/** Does something again and again, when there is news and now and then, with growing pauses while it fails. */
const repeatedly = async (
  what: string,
  { log, signal }: ControllerOptions,
  wake: ReturnType<typeof createWake>,
  work: () => Promise<void>,
): Promise<void> => {
  let retryMs = 0;
  while (!signal.aborted) {
    const began = performance.now();
    try {
      wake.hush();
      await work();
      retryMs = 0;
    } catch (error) {
      retryMs = Math.min(Math.max(retryMs * 2, firstRetryMs), longestRetryMs);
      if (!signal.aborted) log.warn({ reason: messageOf(error), retryMs }, `could not ${what}`);
    }
    const restMs = Math.min(performance.now() - began, longestRestMs);
    await sleep(restMs, undefined, { signal }).catch(() => {});
    await wake.wait(retryMs || lookAgainMs, signal);
  }
};

/** Keeps hollow nodes as their groups say, and gives kubemark's pods their identity, until `signal`. */
export const runController = async (options: ControllerOptions): Promise<void> => {
  const { client, nodeAddress, log, signal } = options;
  const seen: Seen = { groups: undefined, nodes: undefined, pods: undefined, requests: undefined };
  const [nodesWake, requestsWake] = [createWake(), createWake()];

  const watch = <T extends ApiObject>(
    path: string,
    query: Record<string, string>,
    changed: (items: readonly T[]) => void,
    keep?: (item: T) => T,
  ) =>
    watchList<T>({
      clients: [client],
      path,
      query,
      ...(keep && { keep }),
      changed: (items) => {
        changed(items);
        nodesWake.ring();
        requestsWake.ring();
      },
      failed: (reason) => log.warn({ path, reason }, 'could not watch'),
      signal,
    });

  const readGroups = ([map]: readonly ConfigMap[]): void => {
    const text = map?.data?.[groupsKey];
    // While it is made anew there is none for a moment: that is no wish to have no nodes.
    if (text !== undefined) seen.groups = hollowGroups.parse(JSON.parse(text));
  };

  const tendNodes = async (): Promise<void> => {
    const { groups, nodes, pods } = seen;
    if (groups === undefined || nodes === undefined || pods === undefined) return;
    options.ready();
    const actions = planNodes({ groups, nodes, pods, now: Date.now() });
    if (actions.length === 0) return;
    const counts = Object.groupBy(actions, ({ kind }) => kind);
    const began = performance.now();
    await actOnNodes(client, actions, nodeAddress);
    const done = Object.fromEntries(Object.entries(counts).map(([kind, of]) => [kind, of.length]));
    log.info({ ...done, seconds: Number(((performance.now() - began) / 1000).toFixed(1)) }, 'tended nodes');
  };

  const tendRequests = async (): Promise<void> => {
    const { groups, pods, requests } = seen;
    if (groups === undefined || pods === undefined || requests === undefined) return;
    const names = groups.flatMap(({ engine, name }) => (engine === 'kubemark' ? [name] : []));
    await answerRequests(client, log, requests, pods, names);
  };

  let areTouched = false;
  const touchOnce = async (): Promise<void> => {
    if (!areTouched) await touchDaemonSets(client);
    areTouched = true;
  };

  const namespace = `/api/v1/namespaces/${hollowNamespace}`;
  await Promise.all([
    watch<ConfigMap>(`${namespace}/configmaps`, { fieldSelector: `metadata.name=${groupsConfigMap}` }, readGroups),
    watch<NodeObject & ApiObject>(
      '/api/v1/nodes',
      { labelSelector: groupLabel },
      (items) => {
        seen.nodes = items;
      },
      essenceOf,
    ),
    watch<NodePod & ApiObject>(`${namespace}/pods`, { labelSelector: groupLabel }, (items) => {
      seen.pods = items;
    }),
    watch<SigningRequest & ApiObject>(
      signingRequests,
      { fieldSelector: `spec.signerName=${kubeletSigner}` },
      (items) => {
        seen.requests = items;
      },
    ),
    repeatedly('tend nodes', options, nodesWake, tendNodes),
    repeatedly('answer certificate requests', options, requestsWake, tendRequests),
    repeatedly('have DaemonSets looked at', options, createWake(), touchOnce),
  ]);
};
