import { administratorClient, type ClusterAccess } from './access.ts';
import { type ApiClient, expectOk } from './apiClient.ts';
import { readStage } from './apiServer.ts';
import { isEncryptionCompleted } from './encryption.ts';
import { type EncryptionStage, keyNumber } from './encryptionConfiguration.ts';
import type { BoxState, ClusterState } from './inspect.ts';
import { controlPlanesOf } from './plan.ts';

export interface NodeStatus {
  readonly name: string;
  readonly ready: boolean;
  /** Whether its box, or what it stands in for, is simulated. */
  readonly hollow: boolean;
}

export interface PluginStatus {
  readonly node: string;
  readonly status: 'healthy' | 'unhealthy';
  readonly detail: string;
}

/** A key of the API servers' encryption configuration. */
export interface KeyStatus {
  /** Its number, as in the provider name `1_secrets`. */
  readonly id: string;
  readonly mode: 'KMS';
  /** Whether all API servers write it, or can only read it. */
  readonly state: 'write' | 'read';
  /** Whether all that is stored was written under it. */
  readonly migrated: boolean;
}

export interface ClusterStatus {
  readonly cluster: { readonly ready: boolean; readonly version: string; readonly nodes: readonly NodeStatus[] };
  readonly encryption: {
    readonly type: 'KMS';
    /** True once all is stored encrypted and the API server's KMS providers answer. */
    readonly encrypted: { readonly status: 'True' | 'False' | 'Unknown'; readonly reason: string };
    /** `null` before a key is written. */
    readonly writeKey: string | null;
    readonly keys: readonly KeyStatus[];
  };
  readonly plugins: readonly PluginStatus[];
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

interface KubernetesObject {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly {
      readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
    }[];
  };
}

const isTrue = (object: KubernetesObject, type: string): boolean =>
  object.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;

const list = async (api: ApiClient, path: string): Promise<readonly KubernetesObject[]> => {
  const { body } = expectOk(await api.ask('GET', path), `list ${path}`);
  return (JSON.parse(body) as { readonly items: readonly KubernetesObject[] }).items;
};

const pluginStatus = (pod: KubernetesObject): PluginStatus => {
  const node = pod.spec?.nodeName ?? '';
  if (isTrue(pod, 'Ready')) return { node, status: 'healthy', detail: `pod ${pod.metadata.name} is Ready` };
  const waiting = pod.status?.containerStatuses?.[0]?.state?.waiting;
  const why = [waiting?.reason ?? pod.status?.phase, waiting?.message].filter(Boolean).join(': ');
  return { node, status: 'unhealthy', detail: `pod ${pod.metadata.name} is not Ready: ${why}` };
};

const pluginPods = '/api/v1/namespaces/openshift-kms-plugin/pods?labelSelector=app%3Dkms-plugin';

const encryptedCondition = (completed: boolean, healthy: boolean): ClusterStatus['encryption']['encrypted'] => {
  if (!completed) return { status: 'False', reason: 'EncryptionInProgress' };
  return healthy
    ? { status: 'True', reason: 'EncryptionCompleted' }
    : { status: 'False', reason: 'KMSProvidersFailing' };
};

/** The key, by the stages that the API servers' files are at. */
export const keysAt = (
  stages: readonly EncryptionStage[],
  migrated: boolean,
): Pick<ClusterStatus['encryption'], 'writeKey' | 'keys'> => {
  if (stages.includes('identity')) return { writeKey: null, keys: [] };
  const id = String(keyNumber);
  const isWritten = stages.every((stage) => stage === 'written');
  const state = isWritten ? 'write' : 'read';
  return { writeKey: isWritten ? id : null, keys: [{ id, mode: 'KMS', state, migrated }] };
};

/** Asks a running cluster how it is. */
const ask = async (
  api: ApiClient,
  boxes: readonly BoxState[],
  completed: boolean,
  stages: readonly EncryptionStage[],
): Promise<ClusterStatus> => {
  const [version, nodeObjects, pods, kms] = await Promise.all([
    api.ask('GET', '/version'),
    list(api, '/api/v1/nodes'),
    list(api, pluginPods),
    api.ask('GET', '/healthz/kms-providers'),
  ]);
  const nodes = nodeObjects.map((node) => ({ name: node.metadata.name, ready: isTrue(node, 'Ready'), hollow: false }));
  const { gitVersion } = JSON.parse(version.body) as { readonly gitVersion: string };
  return {
    cluster: {
      ready: nodes.every((node) => node.ready) && boxes.every((box) => box.running),
      version: gitVersion,
      nodes,
    },
    encryption: {
      type: 'KMS',
      encrypted: encryptedCondition(completed, kms.status === 200),
      ...keysAt(stages, completed),
    },
    plugins: pods.map(pluginStatus),
  };
};

/** How a cluster is; one whose API server does not answer is not ready, which is no failure of the question. */
export const clusterStatus = async (access: ClusterAccess, { boxes, plan }: ClusterState): Promise<ClusterStatus> => {
  const [completed, stages] = await Promise.all([
    isEncryptionCompleted(plan.dir),
    Promise.all(controlPlanesOf(plan).map((node) => readStage({ plan, node, access }))),
  ]);
  const api = administratorClient(access);
  try {
    return await ask(api, boxes, completed, stages);
  } catch {
    return {
      cluster: {
        ready: false,
        version: '',
        nodes: boxes.map((box) => ({ name: box.name, ready: false, hollow: false })),
      },
      encryption: {
        type: 'KMS',
        encrypted: { status: 'Unknown', reason: 'ApiServerUnreachable' },
        ...keysAt(stages, completed),
      },
      plugins: [],
    };
  } finally {
    api.close();
  }
};
