import { messageOf } from '../../common/failure.ts';
import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { createWake } from '../../common/wake.ts';
import { type ApiObject, watchList } from '../../common/watchList.ts';
import type { OperatorCondition } from '../observation.ts';
import {
  type ClusterOperatorOutcome,
  type ClusterOperatorStatus,
  clusterOperatorStatus,
  openShiftInertia,
} from './status.ts';
import type { Inertia } from './union.ts';

export interface FollowOptions {
  readonly client: KubeClient;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** OpenShift's where left out. */
  readonly inertia?: Inertia;
}

interface KubeApiServer extends ApiObject {
  readonly spec?: { readonly managementState?: string };
  readonly status?: { readonly conditions?: readonly OperatorCondition[] };
}

interface ClusterOperator extends ApiObject {
  readonly status?: Partial<ClusterOperatorStatus>;
}

const fieldManager = 'openshift-kube-apiserver-ClusterOperator';
const name = 'kube-apiserver';
const collection = '/apis/config.openshift.io/v1/clusteroperators';
const path = `${collection}/${name}`;

/** How often everything is looked at again, and the version asked for, as OpenShift's StatusSyncer does. */
const resyncMs = 60_000;
const firstRetryMs = 200;
const longestRetryMs = 5_000;

/** Asked for once a resync, since another version comes with another process. */
const versionAsker = (client: KubeClient) => {
  let known: { readonly version: string; readonly askedAt: number } | undefined;
  return async (): Promise<string> => {
    if (known !== undefined && performance.now() - known.askedAt < resyncMs) return known.version;
    const { gitVersion } = await client.send<{ readonly gitVersion: string }>({ method: 'GET', path: '/version' });
    known = { version: gitVersion.replace(/^v/, ''), askedAt: performance.now() };
    return known.version;
  };
};

const statuses = ({ conditions }: ClusterOperatorStatus): object =>
  Object.fromEntries(conditions.map(({ type, status }) => [type, status]));

/** Keeps ClusterOperator/kube-apiserver as KubeAPIServer/cluster has it, until `signal`. Missing objects are waited for. */
export const followClusterOperator = async (options: FollowOptions): Promise<void> => {
  const { client, log, signal, inertia = openShiftInertia } = options;
  const wake = createWake();
  const askVersion = versionAsker(client);
  let operator: KubeApiServer | undefined;
  let shown: ClusterOperator | undefined;

  const watch = <T extends ApiObject>(path: string, name: string, changed: (object: T | undefined) => void) =>
    watchList<T>({
      clients: [client],
      path,
      query: { fieldSelector: `metadata.name=${name}` },
      changed: ([object]) => {
        changed(object);
        wake.ring();
      },
      failed: (reason, error) => {
        if (!isApiError(error, 404)) log.warn({ path, reason }, 'could not watch');
      },
      signal,
    });
  const watching = [
    watch<KubeApiServer>('/apis/operator.openshift.io/v1/kubeapiservers', 'cluster', (object) => {
      operator = object;
    }),
    watch<ClusterOperator>(collection, name, (object) => {
      shown = object;
    }),
  ];

  const decide = (
    { spec, status }: KubeApiServer,
    { status: before = {} }: ClusterOperator,
    version: string,
  ): ClusterOperatorOutcome => {
    const { managementState } = spec ?? {};
    return clusterOperatorStatus({
      operator: { ...(managementState && { managementState }), conditions: status?.conditions ?? [] },
      shown: before,
      version,
      inertia,
      now: Date.now(),
    });
  };

  /** @returns how long nothing is to be done, milliseconds */
  const step = async (): Promise<number> => {
    const [source, last] = [operator, shown];
    if (source === undefined || last === undefined) return resyncMs;
    const version = await askVersion();
    let outcome = decide(source, last, version);
    if (outcome.changed) {
      // The watch may not have told yet what was written last; its times are to stay.
      const newest = await client.send<ClusterOperator>({ method: 'GET', path });
      shown = newest;
      outcome = decide(source, newest, version);
    }
    if (outcome.changed) {
      const { status } = outcome;
      const object = { apiVersion: 'config.openshift.io/v1', kind: 'ClusterOperator', metadata: { name }, status };
      shown = await client.apply<ClusterOperator>(`${path}/status`, fieldManager, object);
      log.info(statuses(status), 'told ClusterOperator/kube-apiserver');
    }
    return Math.min(outcome.recheckAfterMs ?? resyncMs, resyncMs);
  };

  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    let waitMs: number;
    try {
      waitMs = await step();
      retryMs = firstRetryMs;
    } catch (error) {
      if (signal.aborted) break;
      // The watch tells when it is there again.
      const isMissing = isApiError(error, 404);
      if (!isMissing && retryMs === firstRetryMs) log.warn({ path, reason: messageOf(error) }, 'trying again');
      waitMs = isMissing ? resyncMs : retryMs;
      if (!isMissing) retryMs = Math.min(retryMs * 2, longestRetryMs);
    }
    await wake.wait(waitMs, signal);
  }
  await Promise.all(watching);
};
