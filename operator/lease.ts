import { isApiError, type KubeClient } from '../common/kubeClient.ts';

/** What this needs of a Lease. */
export interface LeaseObject {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface LeaseHolder {
  readonly identity: string;
  /** How long it is held without being renewed. */
  readonly durationSeconds: number;
}

/** MicroTime, as the API server wants it. */
const microTime = (now: number): string => new Date(now).toISOString().replace('Z', '000Z');

/** Whether another than this holder has a lease that it has renewed in time; one that does not say for how long, for as long as this one. */
export const isTaken = ({ spec }: LeaseObject, { identity, durationSeconds }: LeaseHolder, now: number): boolean => {
  if (!spec?.holderIdentity || spec.holderIdentity === identity) return false;
  return now < Date.parse(spec.renewTime ?? '') + (spec.leaseDurationSeconds ?? durationSeconds) * 1_000;
};

/** The lease as its holder has it from now on. */
export const heldBy = (
  { metadata, spec }: LeaseObject,
  { identity, durationSeconds }: LeaseHolder,
  now: number,
): LeaseObject => {
  const isNew = spec?.holderIdentity !== identity;
  return {
    metadata,
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: durationSeconds,
      acquireTime: isNew ? microTime(now) : (spec?.acquireTime ?? microTime(now)),
      renewTime: microTime(now),
      leaseTransitions: (spec?.leaseTransitions ?? 0) + (isNew && spec !== undefined ? 1 : 0),
    },
  };
};

export interface LeasePlace {
  readonly namespace: string;
  readonly name: string;
}

/** A lease that only one can hold at a time. */
export interface Lease {
  /**
   * Takes it, or renews it.
   * @returns whether it is ours now
   * @throws ApiError 409 where another was faster; others as {@link KubeClient.send}
   */
  acquire(): Promise<boolean>;
  /** Gives it up where it is ours. @throws as {@link KubeClient.send} */
  release(): Promise<void>;
}

export const leaseAt = (
  { send }: Pick<KubeClient, 'send'>,
  { namespace, name }: LeasePlace,
  holder: LeaseHolder,
): Lease => {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const path = `${collection}/${name}`;
  const read = async (): Promise<LeaseObject | undefined> => {
    try {
      return await send<LeaseObject>({ method: 'GET', path });
    } catch (error) {
      if (isApiError(error, 404)) return undefined;
      throw error;
    }
  };
  return {
    acquire: async () => {
      const lease = await read();
      const now = Date.now();
      if (lease === undefined) {
        await send({ method: 'POST', path: collection, body: heldBy({ metadata: { name } }, holder, now) });
        return true;
      }
      if (isTaken(lease, holder, now)) return false;
      await send({ method: 'PUT', path, body: heldBy(lease, holder, now) });
      return true;
    },
    release: async () => {
      const lease = await read();
      if (lease?.spec?.holderIdentity !== holder.identity) return;
      await send({ method: 'PUT', path, body: { ...lease, spec: { ...lease.spec, holderIdentity: '' } } });
    },
  };
};
