import type { KubeClient } from '../../common/kubeClient.ts';
import { timestampText } from '../../common/timestamp.ts';
import type { ControllerName, EventNote } from '../action.ts';

export const operatorNamespace = 'openshift-kube-apiserver-operator';
export const operatorName = 'kube-apiserver-operator';

/** As OpenShift's operators name the sources of their events. */
const sources: Record<ControllerName, string> = {
  EncryptionKey: 'encryption-key-controller',
  EncryptionKMSPreflight: 'encryption-kms-preflight-controller',
  EncryptionState: 'encryption-state-controller',
  EncryptionMigration: 'encryption-migration-controller',
  EncryptionPrune: 'encryption-prune-controller',
  EncryptionCondition: 'encryption-condition-controller',
  EncryptionRotation: 'encryption-rotation-controller',
  KMSHealth: 'kms-health-controller',
};

let written = 0;

/** Writes a v1 Event about the operator's Deployment. @throws where the API server does not take it */
export const writeEvent = async (client: KubeClient, controller: ControllerName, note: EventNote): Promise<void> => {
  const now = new Date();
  const timestamp = timestampText(now);
  written += 1;
  await client.send({
    method: 'POST',
    path: `/api/v1/namespaces/${operatorNamespace}/events`,
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      // Nanoseconds, as client-go's recorders have it; ours are told apart by a count.
      metadata: { name: `${operatorName}.${(BigInt(now.getTime()) * 1_000_000n + BigInt(written)).toString(16)}` },
      involvedObject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: operatorNamespace, name: operatorName },
      ...note,
      source: { component: `${operatorName}-${sources[controller]}` },
      count: 1,
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
    },
  });
};
