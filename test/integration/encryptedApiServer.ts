import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { type ApiServerOptions, startApiServer } from './apiServer.ts';
import { connectKubeApi, type KubeApi } from './kubeApi.ts';

const encrypted = ['secrets', 'configmaps'] as const;

/** A provider of an EncryptionConfiguration without its name. */
export type Provider = (key: number, resource: string) => object;

/** Keys of kube-apiserver's own. */
export const aescbc: Provider = (key, resource) => ({
  aescbc: { keys: [{ name: `${key}_${resource}`, secret: Buffer.alloc(32, key).toString('base64') }] },
});

const configuration = (provider: Provider, keys: readonly number[]): string =>
  JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: encrypted.map((resource) => ({
      resources: [resource],
      providers: [...keys.map((key) => provider(key, resource)), { identity: {} }],
    })),
  });

export interface EncryptedApiServerOptions extends ApiServerOptions {
  /** {@link aescbc} where left out. */
  readonly provider?: Provider;
}

/** An API server that encrypts, and the operator's account on it. */
export interface EncryptedApiServer {
  readonly kubeconfigPath: string;
  /** As administrator. */
  readonly kube: KubeApi;
  /** Of the operator's service account, which has its permissions and no more. */
  readonly operator: KubeConfig;
  /** The same as a file. */
  readonly operatorKubeconfigPath: string;
  /** Has the API server restarted with key 1 or 2 written; it reads both. */
  writeWith(key: 1 | 2): Promise<void>;
  restart(): Promise<void>;
  /** How many objects of a resource etcd has by the provider name (`1_secrets`) that they begin with; '' for none. */
  storedBy(resource: string): Promise<Readonly<Record<string, number>>>;
  /** Etcd's newest revision, which every write moves on. */
  revision(): Promise<number>;
  /** Has etcd forget its history. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

const namespace = 'openshift-kube-apiserver-operator';
const account = 'kube-apiserver-operator';

/** The part of the operator's permissions that migration needs. */
const grant = async (kube: KubeApi): Promise<string> => {
  await kube.create('/api/v1/namespaces', { metadata: { name: namespace } });
  await kube.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: account } });
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await kube.create(`${rbac}/clusterroles`, {
    metadata: { name: account },
    rules: [
      { apiGroups: [''], resources: [...encrypted], verbs: ['list', 'patch'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'patch', 'delete'] },
      {
        apiGroups: ['migration.k8s.io', 'storagemigration.k8s.io'],
        resources: ['storageversionmigrations'],
        verbs: ['get', 'create', 'delete'],
      },
    ],
  });
  await kube.create(`${rbac}/clusterrolebindings`, {
    metadata: { name: account },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: account },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  });
  const { status } = await kube.create(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {});
  if (typeof status !== 'object' || status === null || !('token' in status)) throw new Error('no token');
  return String(status.token);
};

const asAccount = (kubeconfig: string, token: string): KubeConfig => {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('no cluster');
  const operator = new KubeConfig();
  operator.loadFromClusterAndUser(cluster, { name: account, token });
  return operator;
};

interface RangeResponse {
  readonly header: { readonly revision: string };
  readonly kvs?: readonly { readonly key: string; readonly value: string }[];
}

/** The key that a stored value names: `k8s:enc:<type>:<version>:<name>:…` */
const keyOf = (value: Buffer): string =>
  /^k8s:enc:[a-z]+:v\d:([^:]+):/.exec(value.subarray(0, 60).toString('latin1'))?.[1] ?? '';

/** Starts one whose write key is 1. */
export const startEncryptedApiServer = async ({
  provider = aescbc,
  flags = [],
  ...others
}: EncryptedApiServerOptions = {}): Promise<EncryptedApiServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'encryption-'));
  const file = join(folder, 'encryption-config.json');
  await writeFile(file, configuration(provider, [1, 2]));
  const server = await startApiServer({
    flags: [`--encryption-provider-config=${file}`, ...flags],
    ...others,
  }).catch(async (error) => {
    await rm(folder, { recursive: true });
    throw error;
  });
  const kube = await connectKubeApi(server.kubeconfig);
  const etcd = async (path: string, query: object): Promise<RangeResponse> => {
    const answer = await fetch(`${server.etcdUrl}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(query) });
    return (await answer.json()) as RangeResponse;
  };
  const range = (prefix: string): Promise<RangeResponse> =>
    etcd('range', { key: btoa(prefix), range_end: btoa(`${prefix.slice(0, -1)}0`) });
  const revision = async (): Promise<number> => Number((await range('/none/')).header.revision);
  const operator = asAccount(server.kubeconfig, await grant(kube));
  const operatorKubeconfigPath = join(folder, 'operator.kubeconfig');
  await writeFile(operatorKubeconfigPath, operator.exportConfig());
  return {
    kubeconfigPath: server.kubeconfigPath,
    kube,
    operator,
    operatorKubeconfigPath,
    writeWith: async (key) => {
      await writeFile(file, configuration(provider, [key, key === 1 ? 2 : 1]));
      await server.restart();
    },
    restart: server.restart,
    storedBy: async (resource) => {
      const { kvs = [] } = await range(`/registry/${resource}/`);
      const counts: Record<string, number> = {};
      for (const { value } of kvs) {
        const key = keyOf(Buffer.from(value, 'base64'));
        counts[key] = (counts[key] ?? 0) + 1;
      }
      return counts;
    },
    revision,
    compact: async () => {
      await etcd('compaction', { revision: String(await revision()), physical: true });
    },
    stop: async () => {
      kube.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
