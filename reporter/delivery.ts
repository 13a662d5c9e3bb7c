import { isDeepStrictEqual } from 'node:util';
import type { PluginHealth } from '../common/kmsHealth.ts';
import { statusBody, statusPath, targets } from '../common/kmsHealthTarget.ts';
import { type KubeClient, kubeClient } from '../common/kubeClient.ts';
import { timestampText } from '../common/timestamp.ts';
import { conditionOf, fieldManagerOf, type ReporterCondition } from './condition.ts';
import type { Settings } from './flags.ts';
import { healthReports } from './healthReports.ts';
import type { ApiAccess } from './kubeconfig.ts';

/** Where a node's reports go. */
export interface Delivery {
  /**
   * Writes what was found, in one apply. None at all takes back what this node has said.
   * @throws where it could not be delivered within the time for it; it is gone then.
   */
  deliver(reports: readonly PluginHealth[]): Promise<void>;
  close(): void;
}

export interface DeliveryOptions
  extends Pick<Settings, 'nodeName' | 'target' | 'reportTo' | 'conditionStatus' | 'writeTimeoutMs'> {
  /** Read for every delivery, so that a new token counts from then on. */
  readonly access: () => Promise<ApiAccess>;
  readonly now: () => Date;
}

interface Transition {
  readonly status: ReporterCondition['status'];
  readonly lastTransitionTime: string;
}

interface OperatorObject {
  readonly status?: { readonly conditions?: readonly (Transition & { readonly type: string })[] };
}

/** A row without the object, in place of the object with the conditions of all nodes. */
const fewWords = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io', query: { includeObject: 'None' } };

export const createDelivery = (options: DeliveryOptions): Delivery => {
  const { nodeName, target, reportTo, conditionStatus, writeTimeoutMs, access, now } = options;
  const path = statusPath(target);
  const fieldManager = fieldManagerOf(nodeName);
  const lastKeyIDs = new Map<string, string>();
  let known: { readonly access: ApiAccess; readonly client: KubeClient } | undefined;
  let said: Transition | undefined;

  const connect = async (): Promise<KubeClient> => {
    const current = await access();
    if (known !== undefined && isDeepStrictEqual(known.access, current)) return known.client;
    known?.client.close();
    const { server, credentials } = current;
    known = { access: current, client: kubeClient({ server, credentials: () => Promise.resolve(credentials) }) };
    return known.client;
  };

  /** When this status was first said, by whoever ran here before too. */
  const since = async (
    client: KubeClient,
    { type, status }: ReporterCondition,
    signal: AbortSignal,
  ): Promise<string> => {
    if (said === undefined) {
      const object = await client.send<OperatorObject>({ method: 'GET', path, signal });
      said = object.status?.conditions?.find((condition) => condition.type === type);
    }
    return said?.status === status ? said.lastTransitionTime : timestampText(now());
  };

  const apply = (client: KubeClient, status: object, signal: AbortSignal): Promise<unknown> =>
    client.apply(path, fieldManager, statusBody(target, status), { ...fewWords, signal });

  const deliverCondition = async (client: KubeClient, reports: readonly PluginHealth[], signal: AbortSignal) => {
    const condition = conditionOf(nodeName, reports, conditionStatus);
    const lastTransitionTime = await since(client, condition, signal);
    await apply(client, { conditions: [{ ...condition, lastTransitionTime }] }, signal);
    said = { status: condition.status, lastTransitionTime };
  };

  return {
    deliver: async (reports) => {
      const signal = AbortSignal.timeout(writeTimeoutMs);
      const client = await connect();
      for (const { keyID, kekID } of reports) if (kekID !== undefined) lastKeyIDs.set(keyID, kekID);
      if (reports.length === 0) {
        await apply(client, {}, signal);
        said = undefined;
      } else if (reportTo === 'conditions') {
        await deliverCondition(client, reports, signal);
      } else {
        await apply(client, targets[target].typedStatus(healthReports(nodeName, reports, lastKeyIDs)), signal);
      }
    },
    close: () => known?.client.close(),
  };
};
