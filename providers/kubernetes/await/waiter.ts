import { isMap } from '../../protocol/values.ts';
import type { Cluster } from '../cluster.ts';
import { describe, type KubeObject, kindOf, listAt, nameOf, namespaceOf, stringAt } from '../objects.ts';
import { observeList, observeObject } from '../observe.ts';
import { findObject, type ObjectAddress } from '../resource.ts';
import { conditionFor } from './conditions.ts';
import { endpointsReady, settleMs, targetsPods } from './endpoints.ts';
import { explainWorkload, untilInVain } from './examine.ts';
import { type Condition, reasonOf, type Verdict } from './verdict.ts';

export interface WaitLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onStatus: (message: string) => void;
}

/** An object that exists and did not get ready. */
export class NotReady extends Error {
  /** As it was seen last. */
  readonly live: KubeObject;
  readonly reasons: readonly string[];

  constructor(live: KubeObject, reasons: readonly string[]) {
    super(reasons.join('\n'));
    this.live = live;
    this.reasons = reasons;
  }
}

interface Wait {
  live: KubeObject;
  message: string;
}

const addressIn = async (
  { client, discovery }: Cluster,
  type: { readonly apiVersion: string; readonly kind: string },
  namespace: string | undefined,
  name: string,
  signal: AbortSignal,
): Promise<ObjectAddress | undefined> => {
  const mapping = await discovery.find(type, signal);
  return mapping === undefined ? undefined : { client, mapping, namespace, name };
};

/** Whether a claim's storage class binds it only when a pod needs it: then it is as ready as it gets. */
const bindsLater = async (cluster: Cluster, claim: KubeObject, signal: AbortSignal): Promise<boolean> => {
  const name = stringAt(claim, 'spec', 'storageClassName');
  if (name === undefined) return false;
  const type = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' };
  const address = await addressIn(cluster, type, undefined, name, signal);
  const storageClass = address && (await findObject(address, signal));
  return stringAt(storageClass, 'volumeBindingMode') === 'WaitForFirstConsumer';
};

const conditionOf = async (cluster: Cluster, live: KubeObject, signal: AbortSignal): Promise<Condition | undefined> => {
  const { apiVersion, kind } = { apiVersion: stringAt(live, 'apiVersion') ?? '', kind: kindOf(live) };
  if (apiVersion === 'v1' && kind === 'PersistentVolumeClaim' && (await bindsLater(cluster, live, signal)))
    return undefined;
  return conditionFor({ apiVersion, kind });
};

const isService = (live: KubeObject): boolean => stringAt(live, 'apiVersion') === 'v1' && kindOf(live) === 'Service';

const sliceType = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
const sliceSelector = (service: KubeObject): string => `kubernetes.io/service-name=${nameOf(service)}`;

const holdsEndpoints = (slice: KubeObject): boolean => listAt(slice, 'endpoints').length > 0;

const endpointsWait = async (
  cluster: Cluster,
  wait: Wait,
  tell: (verdict: Verdict) => void,
  signal: AbortSignal,
): Promise<void> => {
  const mapping = await cluster.discovery.find(sliceType, signal);
  if (mapping === undefined) return;
  const observe = (until: AbortSignal): AsyncGenerator<readonly KubeObject[]> =>
    observeList(cluster.client, mapping, namespaceOf(wait.live), sliceSelector(wait.live), until);
  const settled = AbortSignal.timeout(settleMs);
  try {
    for await (const slices of observe(AbortSignal.any([signal, settled]))) {
      tell(endpointsReady(slices));
      if (slices.some(holdsEndpoints)) break;
    }
  } catch (error) {
    if (settled.aborted && !signal.aborted) return;
    throw error;
  }
  for await (const slices of observe(signal)) {
    const verdict = endpointsReady(slices);
    if (verdict.state === 'ready') return;
    tell(verdict);
  }
};

const limited = async <T>(
  { timeoutMs, signal }: WaitLimits,
  work: (signal: AbortSignal) => Promise<T>,
  failure: (how: string, explain: boolean) => Promise<Error>,
): Promise<T> => {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await work(AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (signal.aborted) throw await failure('when this was cancelled', false);
    if (timeout.aborted) throw await failure(`after ${timeoutMs / 1000} s`, true);
    throw error;
  }
};

/**
 * Waits until an object that was just written is ready, by the rule of its kind.
 * @returns the object as it then is.
 * @throws NotReady after the time, on cancellation, or as soon as waiting is in vain.
 */
export const waitUntilReady = async (
  cluster: Cluster,
  address: ObjectAddress,
  written: KubeObject,
  limits: WaitLimits,
): Promise<KubeObject> => {
  const wait: Wait = { live: written, message: 'nothing is known yet' };
  const tell = (verdict: Verdict): void => {
    if (verdict.state === 'ready' || verdict.message === wait.message) return;
    wait.message = verdict.message;
    limits.onStatus(verdict.message);
  };
  const notReady = async (how: string, explain: boolean): Promise<NotReady> =>
    new NotReady(wait.live, [
      `${describe(wait.live)} was not ready ${how}: ${wait.message}`,
      ...(explain ? await explainWorkload(cluster.client, wait.live) : []),
    ]);

  const getsReady = async (condition: Condition, signal: AbortSignal): Promise<void> => {
    for await (const live of observeObject(address, written, signal)) {
      if (live === undefined)
        throw new NotReady(wait.live, [`${describe(written)} was deleted while it was waited for`]);
      wait.live = live;
      const verdict = condition(live);
      tell(verdict);
      if (verdict.state === 'failed') throw await notReady('and will not get ready', true);
      if (verdict.state === 'ready') return;
    }
  };

  const work = async (signal: AbortSignal): Promise<KubeObject> => {
    const condition = await conditionOf(cluster, written, signal);
    if (condition === undefined) return written;
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    try {
      const inVain = untilInVain(cluster.client, () => wait.live, limits.onStatus, until).then(async () => {
        throw await notReady('and will not get ready', true);
      });
      await Promise.race([getsReady(condition, until), inVain]);
    } finally {
      over.abort();
    }
    if (isService(wait.live) && targetsPods(wait.live)) await endpointsWait(cluster, wait, tell, signal);
    return wait.live;
  };
  return limited(limits, work, notReady);
};

/** Why an object is not ready right now; undefined where it is. */
export const whyNotReady = async (
  cluster: Cluster,
  live: KubeObject,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> => {
  const verdict = (await conditionOf(cluster, live, signal))?.(live);
  if (verdict === undefined || verdict.state === 'ready') return undefined;
  return [`${describe(live)} is not ready: ${verdict.message}`, ...(await explainWorkload(cluster.client, live))];
};

/** Of every object that is deleted with its dependents; says nothing. */
const ordinaryFinalizer = 'foregroundDeletion';

const whatKeeps = (live: KubeObject): string => {
  const finalizers = listAt(live, 'metadata', 'finalizers').filter((finalizer) => finalizer !== ordinaryFinalizer);
  const conditions = listAt(live, 'status', 'conditions')
    .filter(isMap)
    .filter((condition) => condition.status === 'True' && /Remaining|Failure/.test(String(condition.type)))
    .map(reasonOf);
  const kept = finalizers.length === 0 ? [] : [`finalizers left: ${finalizers.join(', ')}`];
  return [...kept, ...conditions].join('; ') || 'it is being deleted';
};

/**
 * Waits until an object is gone, or another of the same name is in its place.
 * @param deleted the object as the deletion left it; undefined where that is not known.
 * @throws NotReady where it stays.
 */
export const waitUntilGone = async (
  address: ObjectAddress,
  deleted: KubeObject | undefined,
  limits: WaitLimits,
): Promise<void> => {
  let last: KubeObject | undefined = deleted;
  const uid = stringAt(deleted, 'metadata', 'uid');
  const work = async (signal: AbortSignal): Promise<void> => {
    for await (const live of observeObject(address, deleted, signal)) {
      if (live === undefined || (uid !== undefined && stringAt(live, 'metadata', 'uid') !== uid)) return;
      last = live;
      limits.onStatus(whatKeeps(live));
    }
  };
  await limited(limits, work, async (how) => {
    const live = last ?? {};
    return new NotReady(live, [`${describe(live)} was still there ${how}: ${whatKeeps(live)}`]);
  });
};
