import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { testCondition, testConfigSecret, testKey, testKms } from '../../cli/encryption/testObjects.ts';
import { writeFileWhole } from '../../common/files.ts';
import { silentProgress } from '../../common/progress.ts';
import { toKeySecret } from '../../operator/keySecret.ts';
import type { KeyState } from '../../operator/keyState.ts';
import { kmsBackendDefinition } from '../../operator/kmsBackend.ts';
import { managedNamespace } from '../../operator/names.ts';
import type { PropertyMap } from '../../providers/protocol/values.ts';
import { ensureOpenShiftCrds } from '../../toolchain/index.ts';
import { type Home, makeHome } from '../e2e/support/home.ts';
import { type ApiServer, startApiServer } from './apiServer.ts';
import { connectKubeApi, type KubeApi } from './kubeApi.ts';

export const paths = {
  apiServer: '/apis/config.openshift.io/v1/apiservers/cluster',
  operator: '/apis/operator.openshift.io/v1/kubeapiservers/cluster',
  backend: '/apis/understudy.dev/v1alpha1/kmsbackends/cluster',
  secrets: `/api/v1/namespaces/${managedNamespace}/secrets`,
} as const;

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const stack = 'test';
/** Its control-plane nodes. */
export const nodes = ['a', 'b'] as const;

/** An API server with the objects of encryption, and a home whose stack is that; a test is its operator and installers. */
export interface CommandLineCluster {
  readonly home: Home;
  readonly server: ApiServer;
  readonly api: KubeApi;
  /** What the operator tells in conditions; others stay. */
  tell(...conditions: readonly ReturnType<typeof testCondition>[]): Promise<void>;
  /** Has the keys' secrets, the newest first, and a configuration that writes the first and reads all. */
  roll(...keys: readonly KeyState[]): Promise<void>;
  /** What all installers report of the KMSBackend as it is. */
  report(keys: Readonly<Record<string, { readonly version: number; readonly keyID: string }>>): Promise<void>;
  stop(): Promise<void>;
}

const json = (value: object): PropertyMap => JSON.parse(JSON.stringify(value)) as PropertyMap;

const install = async (api: KubeApi): Promise<void> => {
  const files = await ensureOpenShiftCrds(silentProgress);
  const wanted = files.filter((file) => /\/(apiservers\.config|kubeapiservers)/.test(file));
  const found = await Promise.all(wanted.map(async (file) => parse(await readFile(file, 'utf8')) as object));
  for (const definition of [...found, kmsBackendDefinition]) await api.create(definitions, json(definition));
  await api.create('/api/v1/namespaces', { metadata: { name: managedNamespace } });
  for (const name of nodes) {
    const labels = { 'node-role.kubernetes.io/control-plane': '' };
    await api.create('/api/v1/nodes', { metadata: { name, labels } });
  }
  const objects = [
    { path: paths.apiServer, apiVersion: 'config.openshift.io/v1', kind: 'APIServer' },
    { path: paths.operator, apiVersion: 'operator.openshift.io/v1', kind: 'KubeAPIServer', managed: true },
    { path: paths.backend, apiVersion: 'understudy.dev/v1alpha1', kind: 'KMSBackend' },
  ];
  for (const { path, apiVersion, kind, managed = false } of objects) {
    const plural = path.slice(0, path.lastIndexOf('/'));
    await api.see(plural);
    const spec: PropertyMap = managed ? { managementState: 'Managed' } : {};
    await api.create(plural, { apiVersion, kind, metadata: { name: 'cluster' }, spec });
  }
};

export const startCommandLineCluster = async (): Promise<CommandLineCluster> => {
  const [server, home] = await Promise.all([startApiServer(), makeHome()]);
  const api = await connectKubeApi(server.kubeconfig);
  await home.writeStack(stack);
  await writeFileWhole(join(home.clusterDir(stack), 'access.json'), JSON.stringify({ kubeconfig: server.kubeconfig }));
  await install(api);
  const told = new Map<string, object>();
  const apply = async (name: string, secret: object): Promise<void> => {
    if ((await api.get(`${paths.secrets}/${name}`)) === undefined) await api.create(paths.secrets, json(secret));
    else await api.patch(`${paths.secrets}/${name}`, json(secret));
  };
  return {
    home,
    server,
    api,
    tell: async (...conditions) => {
      for (const condition of conditions) {
        told.set(condition.type, { ...condition, lastTransitionTime: '2026-11-21T09:00:00Z' });
      }
      await api.patch(`${paths.operator}/status`, { status: json({ conditions: [...told.values()] }) });
    },
    roll: async (...keys) => {
      for (const secret of keys.map(toKeySecret)) await apply(secret.metadata.name, secret);
      const [writeKey] = keys;
      const config = testConfigSecret(writeKey, keys);
      await apply(config.metadata.name, config);
    },
    report: async (keys) => {
      const { metadata } = (await api.get(paths.backend)) as { readonly metadata: { readonly generation: number } };
      const status = { observedGeneration: metadata.generation, keys };
      await api.patch(`${paths.backend}/status`, {
        status: json({ nodes: Object.fromEntries(nodes.map((node) => [node, status])) }),
      });
    },
    stop: async () => {
      api.close();
      await server.stop();
      await home.remove();
    },
  };
};

/** What `up` leaves on APIServer/cluster, so that there is a way to KMS. */
export const kmsNote = (kms: object = testKms): PropertyMap => ({
  metadata: { annotations: { 'understudy.dev/kms': JSON.stringify(kms) } },
});

export { testCondition, testKey, testKms };
