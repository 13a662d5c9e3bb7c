import { type UidMode, withoutUids } from '../../common/admissionWebhook.ts';
import { messageOf } from '../../common/failure.ts';
import { type AdmissionRequest, type Handler, objectOf, type Verdict } from '../review.ts';
import type { Allocator } from './allocator.ts';
import {
  ephemeralNeedsUid,
  ephemeralUidPatch,
  type Identity,
  needsUid,
  type Pod,
  randomUid,
  uidPatch,
} from './podUids.ts';
import { identityOf } from './ranges.ts';

/** Who the pod of a request runs as. @throws where that cannot be told */
export type Identify = (request: AdmissionRequest, pod: Pod, deadline: AbortSignal) => Promise<Identity>;

export const identifyAtRandom =
  (random: () => number): Identify =>
  async (_, pod) => ({ uid: randomUid(pod, random) });

/** As OpenShift: by the range of the namespace. */
export const identifyByNamespace =
  ({ annotationsFor }: Pick<Allocator, 'annotationsFor'>): Identify =>
  async ({ namespace, dryRun }, _, deadline) => {
    const identity = identityOf(await annotationsFor(namespace, dryRun, deadline));
    if ('problem' in identity) throw new Error(`namespace ${namespace} has the annotation ${identity.problem}`);
    return identity;
  };

export type GivingUids = Exclude<UidMode, 'off'>;

const isLeftAlone = (namespace: string): boolean =>
  withoutUids.names.some((name) => name === namespace) ||
  withoutUids.prefixes.some((prefix) => namespace.startsWith(prefix));

/** Gives pods their UID. Where it cannot, the pod is admitted as it is, with a warning: nothing stands still for want of a UID. */
export const uidHandler =
  (identify: Identify): Handler =>
  async (request, deadline): Promise<Verdict> => {
    const { kind, operation, subResource, namespace } = request;
    if (kind.kind !== 'Pod' || isLeftAlone(namespace)) return {};
    const pod = objectOf<Pod>(request.object, 'object');
    const isEphemeral = operation === 'UPDATE' && subResource === 'ephemeralcontainers';
    if (!isEphemeral && (operation !== 'CREATE' || subResource !== '')) return {};
    const before = isEphemeral ? objectOf<Pod>(request.oldObject, 'oldObject') : {};
    if (!(isEphemeral ? ephemeralNeedsUid(pod, before) : needsUid(pod))) return {};
    try {
      const identity = await identify(request, pod, deadline);
      return { patch: isEphemeral ? ephemeralUidPatch(pod, before, identity.uid) : uidPatch(pod, identity) };
    } catch (error) {
      return { warnings: [`admission-webhook: the pod gets no UID: ${messageOf(error)}`] };
    }
  };
