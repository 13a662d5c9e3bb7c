import { join } from 'node:path';
import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import { createLog } from '../../common/log.ts';
import { hashOf } from '../../operator/installer/encryptionFile.ts';
import { runInstaller } from '../../operator/installer/installer.ts';
import type { NodeStatus } from '../../operator/installer/nodeStatus.ts';
import { pluginAt } from '../../operator/installer/plugin.ts';
import { openReporterFiles } from '../../operator/installer/reporterFiles.ts';
import { s6ApiServer } from '../../operator/installer/s6ApiServer.ts';
import { askServing } from '../../operator/installer/serving.ts';
import type { TestNode } from './operatorCluster.ts';

export interface RunningInstaller {
  stop(): Promise<void>;
}

/** Runs a node's installer in this process. */
export const startInstaller = (
  node: TestNode,
  others: readonly KubeClient[] = [],
  readyWithinMs = 60_000,
): RunningInstaller => {
  const controller = new AbortController();
  const log = createLog();
  log.level = process.env.LOG_LEVEL ?? 'silent';
  const running = runInstaller({
    node: node.name,
    clients: [node.client, ...others],
    configurationPath: node.configurationPath,
    wishPath: node.wishPath,
    reporterFiles: openReporterFiles(node.reporterDir, node.client.server),
    plugin: pluginAt(node.socketsDir),
    apiServer: s6ApiServer({
      servicesDir: node.servicesDir,
      services: ['kube-apiserver-a', 'kube-apiserver-b'],
      clients: [node.client],
      readyWithinMs,
      log,
    }),
    log,
    signal: controller.signal,
  });
  return {
    stop: async () => {
      controller.abort();
      await running;
    },
  };
};

/** Writes the copy of the config secret, as the operator does. @returns the hash that API servers are to report. */
export const wishConfiguration = async (client: KubeClient, content: string): Promise<string> => {
  const collection = '/api/v1/namespaces/openshift-kube-apiserver/secrets';
  const body = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'encryption-config' },
    data: { 'encryption-config': Buffer.from(content).toString('base64') },
  };
  try {
    await client.send({ method: 'PUT', path: `${collection}/encryption-config`, body });
  } catch (error) {
    if (!isApiError(error, 404)) throw error;
    await client.send({ method: 'POST', path: collection, body });
  }
  return hashOf(content);
};

/** The hash that whichever API server answers has loaded. */
export const loadedHash = async (node: TestNode): Promise<string | undefined> => {
  const serving = await askServing(node.client);
  serving?.close();
  return serving?.configHash;
};

export const nodeStatusOf = async (client: KubeClient, node: string): Promise<NodeStatus | undefined> => {
  const path = '/apis/operator.openshift.io/v1/kubeapiservers/cluster';
  const { status } = await client.send<{ status?: { nodeStatuses?: readonly NodeStatus[] } }>({ method: 'GET', path });
  return status?.nodeStatuses?.find(({ nodeName }) => nodeName === node);
};

type Provider = object;

/** An EncryptionConfiguration with the same providers for secrets and config maps. */
export const encryptionConfiguration = (...providersOf: readonly ((resource: string) => Provider)[]): string =>
  JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: ['secrets', 'configmaps'].map((resource) => ({
      resources: [resource],
      providers: providersOf.map((provider) => provider(resource)),
    })),
  });

export const identity = (): Provider => ({ identity: {} });

export const aescbc = (number: number, key: Buffer) => (): Provider => ({
  aescbc: { keys: [{ name: String(number), secret: key.toString('base64') }] },
});

export const kms =
  (number: number) =>
  (resource: string): Provider => ({
    kms: {
      apiVersion: 'v2',
      name: `${number}_${resource}`,
      endpoint: `unix:///var/run/kmsplugin/kms-${number}.sock`,
      timeout: '10s',
    },
  });

export const superviseDir = (node: TestNode, service: string): string => join(node.servicesDir, service, 'supervise');
