import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { KmsBackendNodeStatus } from '../kmsBackend.ts';
import { withAny } from './anyApiServer.ts';
import { fieldManagerOf, type NodeStatus, nextNodeStatus, type Outcome } from './nodeStatus.ts';

/** Where a node's installer reports to. */
export interface Reporter {
  /** @throws where no API server takes it. Nothing to report to is no error. */
  nodeStatus(outcome: Outcome): Promise<void>;
  /** @throws as {@link nodeStatus}. */
  backendStatus(status: KmsBackendNodeStatus): Promise<void>;
}

interface KubeApiServerObject {
  readonly status?: { readonly nodeStatuses?: readonly NodeStatus[] };
}

const operatorPath = '/apis/operator.openshift.io/v1/kubeapiservers/cluster';
const backendPath = '/apis/understudy.dev/v1alpha1/kmsbackends/cluster';

const unlessMissing = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!isApiError(error, 404)) throw error;
  }
};

export const createReporter = (clients: readonly KubeClient[], node: string): Reporter => {
  const fieldManager = fieldManagerOf(node);
  const applyNodeStatus = async (client: KubeClient, entry: NodeStatus): Promise<void> => {
    await client.apply(`${operatorPath}/status`, fieldManager, {
      apiVersion: 'operator.openshift.io/v1',
      kind: 'KubeAPIServer',
      metadata: { name: 'cluster' },
      status: { nodeStatuses: [entry] },
    });
  };
  return {
    nodeStatus: (outcome) =>
      unlessMissing(() =>
        withAny(clients, async (client) => {
          const { status } = await client.send<KubeApiServerObject>({ method: 'GET', path: operatorPath });
          const before = status?.nodeStatuses?.find(({ nodeName }) => nodeName === node);
          const next = nextNodeStatus(node, before, outcome);
          await applyNodeStatus(client, next);
          if (before === undefined) await applyNodeStatus(client, nextNodeStatus(node, next, outcome));
        }),
      ),
    backendStatus: (status) =>
      unlessMissing(() =>
        withAny(clients, async (client) => {
          await client.apply(`${backendPath}/status`, fieldManager, {
            apiVersion: 'understudy.dev/v1alpha1',
            kind: 'KMSBackend',
            metadata: { name: 'cluster' },
            status: { nodes: { [node]: status } },
          });
        }),
      ),
  };
};
