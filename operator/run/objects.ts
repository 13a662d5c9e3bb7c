import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import type { KmsBackend } from '../kmsBackend.ts';
import {
  component,
  componentLabel,
  configCopyName,
  configNamespace,
  configSecretName,
  managedNamespace,
} from '../names.ts';
import type {
  ConfigMap,
  EncryptionSpec,
  Observation,
  OperatorCondition,
  OperatorObject,
  PluginObservation,
  Preflight,
  Secret,
} from '../observation.ts';
import { relevantText } from './relevance.ts';

/** What of an observation is in objects of the API server, and where the API servers are. */
export interface ObservedObjects extends Omit<Observation, 'apiServers' | 'migrations' | 'controlPlane'> {
  readonly controlPlane: readonly ControlPlaneNode[];
}

export interface ControlPlaneNode {
  readonly name: string;
  /** InternalIP; undefined while the kubelet has not told it. */
  readonly address: string | undefined;
}

interface List<T> {
  readonly items: readonly T[];
}

interface Node {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
}

export interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly state?: { readonly waiting?: { readonly reason?: string } } }[];
  };
}

interface KubeApiServerObject {
  readonly spec?: { readonly managementState?: string; readonly unsupportedConfigOverrides?: unknown };
  readonly status?: {
    readonly conditions?: readonly OperatorCondition[];
    readonly encryptionStatus?: { readonly preflight?: Preflight };
  };
}

/** Collections that tell, by a watch, when to look again. */
export const watchedCollections: readonly {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** What of an object counts; all of it where left out. */
  readonly textOf?: (object: object) => string;
}[] = [
  { path: '/apis/config.openshift.io/v1/apiservers' },
  { path: '/apis/operator.openshift.io/v1/kubeapiservers', textOf: relevantText },
  { path: '/apis/understudy.dev/v1alpha1/kmsbackends' },
  { path: `/api/v1/namespaces/${managedNamespace}/secrets` },
  { path: '/api/v1/namespaces/openshift-kms-plugin/pods', query: { labelSelector: 'app=kms-plugin' } },
  { path: '/api/v1/nodes', query: { labelSelector: 'node-role.kubernetes.io/control-plane' } },
];

/** The state of the plugin on a node by the pods there are. */
export const pluginOn = (node: string, pods: readonly Pod[]): PluginObservation => {
  const here = pods.filter(({ spec, metadata }) => spec.nodeName === node && metadata.deletionTimestamp === undefined);
  const isReady = ({ status }: Pod): boolean =>
    status?.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True') === true;
  if (here.some(isReady)) return { node, ready: true };
  const [pod] = here;
  if (pod === undefined) return { node, ready: false, cause: 'no pod' };
  const waiting = pod.status?.containerStatuses?.flatMap(({ state }) => state?.waiting?.reason ?? [])[0];
  const phase = pod.status?.phase ?? 'Unknown';
  return { node, ready: false, cause: waiting ?? (phase === 'Running' ? 'its pod is not ready' : phase) };
};

const operatorOf = ({ spec, status }: KubeApiServerObject): OperatorObject => ({
  ...(spec?.managementState === undefined ? {} : { managementState: spec.managementState }),
  ...(spec?.unsupportedConfigOverrides === undefined
    ? {}
    : { unsupportedConfigOverrides: spec.unsupportedConfigOverrides }),
  conditions: status?.conditions ?? [],
  ...(status?.encryptionStatus?.preflight === undefined ? {} : { preflight: status.encryptionStatus.preflight }),
});

/** Names of the objects in openshift-config that an encryption configuration refers to. */
export const referencesOf = (
  encryption: EncryptionSpec | undefined,
): { readonly secrets: readonly string[]; readonly configMaps: readonly string[] } => {
  const vault = encryption?.kms?.vault;
  const names = (name: string | undefined): readonly string[] => (name ? [name] : []);
  return {
    secrets: names(vault?.authentication?.appRole?.secret?.name),
    configMaps: names(vault?.tls?.caBundle?.name),
  };
};

const get = async <T>(client: KubeClient, path: string): Promise<T | undefined> => {
  try {
    return await client.send<T>({ method: 'GET', path });
  } catch (error) {
    if (isApiError(error, 404)) return undefined;
    throw error;
  }
};

const present = <T>(objects: readonly (T | undefined)[]): readonly T[] =>
  objects.filter((object) => object !== undefined);

/**
 * Reads all of them, from etcd and from no cache: what was written last decides.
 * @throws where one cannot be read; one that does not exist is no failure.
 */
export const readObjects = async (client: KubeClient): Promise<ObservedObjects> => {
  const managed = `/api/v1/namespaces/${managedNamespace}/secrets`;
  const config = `/api/v1/namespaces/${configNamespace}`;
  const selector = encodeURIComponent(`${componentLabel}=${component}`);
  const readApiServer = async () => {
    const object = await get<{ readonly spec?: { readonly encryption?: EncryptionSpec } }>(
      client,
      '/apis/config.openshift.io/v1/apiservers/cluster',
    );
    const encryption = object && (object.spec?.encryption ?? {});
    const { secrets, configMaps } = referencesOf(encryption);
    const [referencedSecrets, referencedConfigMaps] = await Promise.all([
      Promise.all(secrets.map((name) => get<Secret>(client, `${config}/secrets/${encodeURIComponent(name)}`))),
      Promise.all(configMaps.map((name) => get<ConfigMap>(client, `${config}/configmaps/${encodeURIComponent(name)}`))),
    ]);
    return {
      encryption,
      referencedSecrets: present(referencedSecrets),
      referencedConfigMaps: present(referencedConfigMaps),
    };
  };
  const [apiServer, operator, backend, keySecrets, configSecret, configCopy, nodes, pods] = await Promise.all([
    readApiServer(),
    get<KubeApiServerObject>(client, '/apis/operator.openshift.io/v1/kubeapiservers/cluster'),
    get<KmsBackend>(client, '/apis/understudy.dev/v1alpha1/kmsbackends/cluster'),
    get<List<Secret>>(client, `${managed}?labelSelector=${selector}`),
    get<Secret>(client, `${managed}/${configSecretName}`),
    get<Secret>(client, `/api/v1/namespaces/${component}/secrets/${configCopyName}`),
    get<List<Node>>(client, '/api/v1/nodes?labelSelector=node-role.kubernetes.io%2Fcontrol-plane'),
    get<List<Pod>>(client, '/api/v1/namespaces/openshift-kms-plugin/pods?labelSelector=app%3Dkms-plugin'),
  ]);
  const controlPlane = (nodes?.items ?? []).map(({ metadata, status }) => ({
    name: metadata.name,
    address: status?.addresses?.find(({ type }) => type === 'InternalIP')?.address,
  }));
  return {
    ...apiServer,
    operator: operator && operatorOf(operator),
    backend,
    keySecrets: keySecrets?.items ?? [],
    configSecret,
    configCopy,
    controlPlane,
    plugins: controlPlane.map(({ name }) => pluginOn(name, pods?.items ?? [])),
  };
};
