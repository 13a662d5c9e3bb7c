import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../common/failure.ts';
import { statusBody, statusPath, type Target, targetNames } from '../../common/kmsHealthTarget.ts';
import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { Log } from '../../common/log.ts';
import { createWake } from '../../common/wake.ts';
import { type ApiObject, watchList } from '../../common/watchList.ts';
import type { KmsBackend } from '../kmsBackend.ts';
import type { OperatorCondition } from '../observation.ts';
import { writeEvent } from '../run/events.ts';
import type { Memory } from './memory.ts';
import { type HealthInput, type HealthPlan, planHealth } from './plan.ts';
import { degradedType } from './rollUp.ts';

export interface HealthLoopOptions {
  readonly client: KubeClient;
  /** From report to report, milliseconds. */
  readonly intervalMs: number;
  /** Told what was seen of a target, for whoever counts; undefined where there is no such object. */
  readonly looked: (target: Target, plan: HealthPlan | undefined) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

interface OperatorObject extends ApiObject {
  readonly status?: HealthInput['status'];
}

/** Reports come one by one from many nodes; so often they are looked at. */
const pauseMs = 100;
const retryMs = 1_000;
const restMs = 60_000;
/** Somebody wrote between our look and the removal: that is told by the watch. */
const overtaken = [409, 422];

const hasKeys = (nodes: readonly string[], { status }: KmsBackend): boolean =>
  nodes.some((node) => Object.keys(status?.nodes?.[node]?.keys ?? {}).length > 0);

/** Says KMSPluginsDegraded of what reporters say, and takes away what is nobody's any more; until `signal`. */
export const runHealthLoop = async (options: HealthLoopOptions): Promise<void> => {
  const { client, intervalMs, looked, log, signal } = options;
  const wake = createWake();
  const statuses = new Map<Target, HealthInput['status']>();
  const memories = new Map<Target, Memory>();
  let nodes: readonly string[] | undefined;
  let backend: { readonly object: KmsBackend | undefined } | undefined;
  const failing = new Map<Target, string>();

  const follow = <T extends ApiObject>(path: string, changed: (items: readonly T[]) => void, query = {}) =>
    watchList<T>({
      clients: [client],
      path,
      query,
      changed: (items) => {
        changed(items);
        wake.ring();
      },
      failed: (reason) => log.warn({ path, reason }, 'could not watch'),
      signal,
    });
  const watching = [
    ...targetNames.map((target) =>
      follow<OperatorObject>(`/apis/operator.openshift.io/v1/${target}`, ([object]) => {
        if (object === undefined) statuses.delete(target);
        else statuses.set(target, object.status ?? {});
      }),
    ),
    follow('/api/v1/nodes', (items) => (nodes = items.flatMap(({ metadata }) => metadata?.name ?? [])), {
      labelSelector: 'node-role.kubernetes.io/control-plane',
    }),
    follow<KmsBackend>('/apis/understudy.dev/v1alpha1/kmsbackends', ([object]) => (backend = { object })),
  ];

  const tell = async (conditions: readonly OperatorCondition[], before: HealthInput['status']): Promise<void> => {
    const known = before.conditions?.find(({ type }) => type === degradedType);
    for (const { status, message = '' } of conditions) {
      if (status === (known?.status ?? 'False')) continue;
      log.info({ status, message }, degradedType);
      const note =
        status === 'False'
          ? { type: 'Normal' as const, reason: 'KMSPluginsRecovered', message }
          : { type: 'Warning' as const, reason: degradedType, message };
      await writeEvent(client, 'KMSHealth', note);
    }
  };

  const act = async (target: Target, plan: HealthPlan, before: HealthInput['status']): Promise<void> => {
    const path = statusPath(target);
    const { changed, fieldManager, conditions } = plan.conditions;
    if (changed) {
      await client.apply(path, fieldManager, statusBody(target, conditions.length > 0 ? { conditions } : {}));
      await tell(conditions, before);
    }
    if (plan.removal.length === 0) return;
    const contentType = 'application/json-patch+json';
    try {
      await client.send({ method: 'PATCH', path, body: plan.removal, contentType });
    } catch (error) {
      if (!overtaken.some((code) => isApiError(error, code))) throw error;
      log.info({ target, reason: messageOf(error) }, 'could not take away what is nobody’s any more; looking again');
    }
  };

  /** @returns how long nothing is to be done, milliseconds */
  const look = async (target: Target): Promise<number> => {
    const monotonic = performance.now();
    const status = statuses.get(target);
    if (status === undefined || nodes === undefined || backend === undefined) {
      looked(target, undefined);
      return Number.POSITIVE_INFINITY;
    }
    const inUse =
      target === 'kubeapiservers' && backend.object !== undefined ? hasKeys(nodes, backend.object) : undefined;
    const moment = { monotonic, wall: Date.now() };
    const plan = planHealth({ status, nodes, inUse, intervalMs }, memories.get(target), moment);
    memories.set(target, plan.memory);
    looked(target, plan);
    await act(target, plan, status);
    return plan.recheckAfterMs;
  };

  const lookWithoutFail = async (target: Target): Promise<number> => {
    try {
      const waitMs = await look(target);
      failing.delete(target);
      return waitMs;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== failing.get(target) && !signal.aborted) {
        log.warn({ target, reason }, 'could not roll up the health of KMS plugins');
      }
      failing.set(target, reason);
      return retryMs;
    }
  };

  while (!signal.aborted) {
    wake.hush();
    const waits = await Promise.all(targetNames.map(lookWithoutFail));
    await wake.wait(Math.min(restMs, ...waits), signal);
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
  await Promise.all(watching);
};
