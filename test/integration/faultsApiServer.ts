import { mkdir } from 'node:fs/promises';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { writeFileWhole } from '../../common/files.ts';
import { waitFor } from '../../common/waitFor.ts';
import type { Fault } from '../../plugin/faults/fault.ts';
import { startApiServer } from './apiServer.ts';
import { createWorkplace, runPlugin } from './plugin.process.ts';

export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** One plugin with several keys, and one API server with a resource of its own for each of them. */
export interface FaultyCluster {
  /** Path of a key's socket. */
  socket(key: number): string;
  /** Has the plugin told of these faults, as the installer does. */
  wish(faults: readonly Fault[]): Promise<void>;
  /** GET, or POST where there is a body. */
  ask(path: string, body?: object): Promise<Reply>;
  /** Creates an object that is encrypted under this key. */
  write(key: number, name: string): Promise<Reply>;
  /** From etcd. */
  read(key: number, name: string): Promise<Reply>;
  /** From the watch cache, which the API server fills from etcd when it starts. */
  list(key: number): Promise<Reply>;
  /** Starts the API server again; `ready` resolves when it is ready, which it may not be while there are faults. */
  restart(): Promise<{ readonly ready: Promise<void> }>;
  stop(): Promise<void>;
}

const group = 'faults.understudy.dev';

/** kube-apiserver gives a call to the plugin so long, milliseconds. */
export const callTimeoutMs = 1_000;

const resourceOf = (key: number): string => `key${key}s`;

const definition = (key: number): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${resourceOf(key)}.${group}` },
  spec: {
    group,
    scope: 'Cluster',
    names: { kind: `Key${key}`, plural: resourceOf(key) },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});

const encryptionConfiguration = (
  keys: readonly number[],
  socket: (key: number) => string,
  others: readonly string[],
): object => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'EncryptionConfiguration',
  resources: keys.map((key) => ({
    resources: [`${resourceOf(key)}.${group}`, ...(key === 1 ? others : [])],
    providers: [
      {
        kms: {
          apiVersion: 'v2',
          name: `key-${key}`,
          endpoint: `unix://${socket(key)}`,
          timeout: `${callTimeoutMs}ms`,
        },
      },
      { identity: {} },
    ],
  })),
});

const send = (options: RequestOptions, url: string, body: object | undefined): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const headers = { 'content-type': 'application/json' };
    const request = httpsRequest(url, { ...options, method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });

const within = { timeoutMs: 20_000, intervalMs: 30, next: 'read the log of kube-apiserver' };

/**
 * Starts both, and writes an object `before` under each key.
 * @param others resources of Kubernetes that are encrypted under key 1 as well
 */
export const startFaultyCluster = async (
  keys: readonly number[],
  others: readonly string[] = [],
): Promise<FaultyCluster> => {
  const workplace = await createWorkplace();
  const socketDir = join(workplace.dir, 'run');
  const socket = (key: number): string => join(socketDir, `kms-${key}.sock`);
  const wish = (faults: readonly Fault[]): Promise<void> =>
    writeFileWhole(
      join(workplace.keystoreDir, 'wish.json'),
      JSON.stringify({ keys: keys.map((number) => ({ number, version: 1 })), faults }),
    );
  await mkdir(workplace.keystoreDir, { recursive: true, mode: 0o700 });
  await wish([]);
  const plugin = runPlugin(workplace, [`--socket-dir=${socketDir}`, `--keystore-dir=${workplace.keystoreDir}`]);
  await plugin.said('serving KMS v2');

  const configuration = join(workplace.dir, 'encryption.json');
  await writeFileWhole(configuration, JSON.stringify(encryptionConfiguration(keys, socket, others)));
  const apiServer = await startApiServer({ flags: [`--encryption-provider-config=${configuration}`] });
  const config = new KubeConfig();
  config.loadFromString(apiServer.kubeconfig);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const ask = (path: string, body?: object): Promise<Reply> => send(options, `${apiServer.url}${path}`, body);
  const path = (key: number): string => `/apis/${group}/v1/${resourceOf(key)}`;
  const write = (key: number, name: string): Promise<Reply> =>
    ask(path(key), { apiVersion: `${group}/v1`, kind: `Key${key}`, metadata: { name }, secret: name });
  const served = (key: number): Promise<true> =>
    waitFor(async () => ((await ask(path(key))).status === 404 ? undefined : true), {
      ...within,
      what: `${resourceOf(key)} served`,
    });
  const stop = async (): Promise<void> => {
    await apiServer.stop();
    await workplace.remove();
  };

  try {
    await Promise.all(
      keys.map(async (key) => {
        await ask('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition(key));
        await served(key);
        const { status, text } = await write(key, 'before');
        if (status !== 201) throw new Error(text);
      }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    socket,
    wish,
    ask,
    write,
    read: (key, name) => ask(`${path(key)}/${name}`),
    list: (key) => ask(path(key)),
    restart: async () => {
      const ready = apiServer.restart();
      // Not ready is a result here, and not yet looked at while the API server is asked.
      ready.catch(() => {});
      const answers = async (): Promise<true | undefined> =>
        (await ask('/version')).status === 200 ? true : undefined;
      await waitFor(answers, { ...within, what: 'kube-apiserver' });
      await Promise.all(keys.map(served));
      return { ready };
    },
    stop,
  };
};
