import { readdir, readFile } from 'node:fs/promises';
import { get, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { writeFileWhole } from '../../common/files.ts';
import { waitFor } from '../../common/waitFor.ts';
import { type ApiServer, startApiServer } from './apiServer.ts';
import { createWorkplace, startPlugin, type Workplace } from './plugin.process.ts';

const configuration = (socket: string): object => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'EncryptionConfiguration',
  resources: [
    {
      resources: ['secrets', 'configmaps'],
      providers: [
        { kms: { apiVersion: 'v2', name: '1_secrets', endpoint: `unix://${socket}`, timeout: '3s' } },
        { identity: {} },
      ],
    },
  ],
});

const startEncrypting = async (workplace: Workplace): Promise<ApiServer> => {
  const path = join(workplace.dir, 'encryption.json');
  await writeFileWhole(path, JSON.stringify(configuration(workplace.socket)));
  return startApiServer({ flags: [`--encryption-provider-config=${path}`] });
};

/** Status and text of an endpoint of the API server. */
const ask = async (config: KubeConfig, url: string): Promise<{ readonly status: number; readonly text: string }> => {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return new Promise((resolve, reject) => {
    const request = get(url, { ...options, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
  });
};

/** All that etcd has ever been told to write. */
const everythingWritten = async ({ dir }: ApiServer): Promise<Buffer> => {
  const wal = join(dir, 'etcd', 'member', 'wal');
  const files = (await readdir(wal)).filter((name) => name.endsWith('.wal'));
  return Buffer.concat(await Promise.all(files.map((name) => readFile(join(wal, name)))));
};

test('kube-apiserver encrypts secrets in etcd through the plugin, and reads them again', async () => {
  const workplace = await createWorkplace();
  let plugin = await startPlugin(workplace, '--log-level=debug');
  const apiServer = await startEncrypting(workplace);
  try {
    const config = new KubeConfig();
    config.loadFromString(apiServer.kubeconfig);
    const api = config.makeApiClient(CoreV1Api);
    const secret = (name: string) => ({ metadata: { name }, stringData: { password: `hunter2-${name}` } });
    await api.createNamespacedSecret({ namespace: 'default', body: secret('first') });

    const written = await everythingWritten(apiServer);
    const key = written.indexOf('/registry/secrets/default/first');
    expect(key).toBeGreaterThan(0);
    expect(written.subarray(key, key + 200).toString('latin1')).toContain('k8s:enc:kms:v2:1_secrets:');
    expect(written.includes('hunter2')).toBe(false);
    expect(written.includes(Buffer.from('hunter2-first').toString('base64'))).toBe(false);

    const read = await api.readNamespacedSecret({ namespace: 'default', name: 'first' });
    expect(Buffer.from(read.data?.password ?? '', 'base64').toString()).toBe('hunter2-first');
    expect(await ask(config, `${apiServer.url}/readyz/kms-providers`)).toEqual({ status: 200, text: 'ok' });

    // The API server reaches a plugin that came back, over the same connection setup, without being told.
    await plugin.stop('SIGKILL');
    plugin = await startPlugin(workplace, '--log-level=debug');
    await waitFor(
      async () => ((await ask(config, `${apiServer.url}/readyz/kms-providers`)).status === 200 ? true : undefined),
      { what: 'kms-providers ok', timeoutMs: 60_000, next: 'read the log of kube-apiserver' },
    );
    await api.createNamespacedSecret({ namespace: 'default', body: secret('second') });
    const { items } = await api.listNamespacedSecret({ namespace: 'default' });
    expect(items.map(({ metadata }) => metadata?.name)).toEqual(['first', 'second']);
    expect((await plugin.stop()).code).toBe(0);
  } finally {
    await apiServer.stop();
    await workplace.remove();
  }
});
