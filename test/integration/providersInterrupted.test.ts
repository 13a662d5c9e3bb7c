import { readdir, readFile } from 'node:fs/promises';
import { DaemonSet, Deployment } from '@pulumi/kubernetes/apps/v1/index.js';
import { ConfigMap, ConfigMapPatch } from '@pulumi/kubernetes/core/v1/index.js';
import { Provider } from '@pulumi/kubernetes/provider.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PropertyMap } from '../../providers/protocol/values.ts';
import { type ApiServer, startApiServer } from './apiServer.ts';
import { connectKubeApi, type KubeApi } from './kubeApi.ts';
import { createTestStack, type TestStack } from './providersStack.ts';

let server: ApiServer;
let api: KubeApi;
let stack: TestStack;

beforeAll(async () => {
  [server, stack] = await Promise.all([
    startApiServer({ controllers: ['garbage-collector-controller'] }),
    createTestStack(),
  ]);
  api = await connectKubeApi(server.kubeconfig);
});

afterAll(async () => {
  api?.close();
  await stack?.remove();
  await server?.stop();
});

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'none' }] } };
const pathOf = (plural: string, name: string): string => `/apis/apps/v1/namespaces/default/${plural}/${name}`;

/** As the controllers do once all pods run. */
const declareReady = async (plural: string, name: string): Promise<void> => {
  const { metadata } = (await api.see(pathOf(plural, name))) as { metadata: { generation: number } };
  const counts =
    plural === 'daemonsets'
      ? ['desiredNumberScheduled', 'currentNumberScheduled', 'updatedNumberScheduled', 'numberAvailable', 'numberReady']
      : ['replicas', 'updatedReplicas', 'availableReplicas', 'readyReplicas'];
  const status: PropertyMap = {
    observedGeneration: metadata.generation,
    numberMisscheduled: 0,
    ...Object.fromEntries(counts.map((count) => [count, 1])),
  };
  await api.patch(`${pathOf(plural, name)}/status`, { status }, 'controller');
};

/** The engine that this process runs at the moment. */
const enginePid = async (): Promise<number> => {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const [, name, parent] = /^\d+ \((.*)\) \S+ (\d+) /.exec(stat) ?? [];
    if (name === 'pulumi' && Number(parent) === process.pid) return Number(entry);
  }
  throw new Error('no engine runs');
};

describe('what does not get ready in time', () => {
  const program = (color: string) => async (): Promise<void> => {
    const provider = new Provider('cluster', { kubeconfig: server.kubeconfig });
    // Large enough that the state does not fit into what HTTP/2 peers take for headers by default (64 KiB).
    const annotations = { 'pulumi.com/timeoutSeconds': '1', large: 'x'.repeat(100_000) };
    const spec = { selector: { matchLabels: { app: 'a' } }, template };
    new DaemonSet('slow', { metadata: { name: 'slow', annotations, labels: { color } }, spec }, { provider });
  };

  test('fails the update and stays in the state', async () => {
    await expect(stack.up(program('red'))).rejects.toThrow(
      /DaemonSet default\/slow was not ready after 1 s: the daemon set controller has not seen it yet/,
    );
    expect(await stack.resources()).toContainEqual(
      expect.objectContaining({ id: 'default/slow', initErrors: [expect.stringContaining('was not ready after 1 s')] }),
    );
  });

  test('is waited for again by the next update, which changes nothing else', async () => {
    await declareReady('daemonsets', 'slow');
    const { summary } = await stack.up(program('red'));
    expect(summary.resourceChanges).toMatchObject({ update: 1 });
    const [daemonSet] = (await stack.resources()).filter(({ id }) => id === 'default/slow');
    expect(daemonSet?.initErrors).toBeUndefined();
    await stack.destroy();
  });
});

describe('an engine', () => {
  const program = async (): Promise<void> => {
    const provider = new Provider('cluster', { kubeconfig: server.kubeconfig });
    const config = new ConfigMap('config', { metadata: { name: 'config' }, data: { a: 'b' } }, { provider });
    const spec = { selector: { matchLabels: { app: 'a' } }, template };
    new Deployment('web', { metadata: { name: 'web' }, spec }, { provider, dependsOn: config });
  };

  test('that is killed is gone on from: what it created is taken over as it is', async () => {
    const killed = expect(stack.up(program)).rejects.toThrow();
    const { metadata } = await api.see(pathOf('deployments', 'web'));
    process.kill(await enginePid(), 'SIGKILL');
    await killed;
    await stack.withProviders(program, (engine) => engine.cancel());

    const finished = stack.up(program);
    await declareReady('deployments', 'web');
    expect((await finished).summary.resourceChanges).toMatchObject({ create: 1 });
    expect(await api.get(pathOf('deployments', 'web'))).toMatchObject({
      metadata: { uid: (metadata as PropertyMap).uid },
    });
    await stack.destroy();
    expect(await api.get(pathOf('deployments', 'web'))).toBeUndefined();
  });

  test('that is asked to end keeps what it was waiting for in the state', async () => {
    const ended = expect(stack.up(program)).rejects.toThrow(/was not ready when this was cancelled/);
    await api.see(pathOf('deployments', 'web'));
    process.kill(await enginePid(), 'SIGINT');
    await ended;
    expect(await stack.resources()).toContainEqual(
      expect.objectContaining({ id: 'default/web', initErrors: [expect.stringContaining('cancelled')] }),
    );
    await declareReady('deployments', 'web');
    expect((await stack.up(program)).summary.resourceChanges).toMatchObject({ update: 1 });
    await stack.destroy();
  });
});

describe('objects of others', () => {
  const path = '/api/v1/namespaces/default/configmaps/theirs';
  const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'adopted' }, data: { a: 'b' } };
  const lastApplied = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(applied) };

  const program =
    (data: Record<string, string> = {}) =>
    async (): Promise<void> => {
      const provider = new Provider('cluster', { kubeconfig: server.kubeconfig });
      const { metadata } = applied;
      new ConfigMap('adopted', { metadata, data: applied.data }, { provider, import: 'default/adopted' });
      new ConfigMapPatch('patch', { metadata: { name: 'theirs', namespace: 'default' }, data }, { provider });
    };

  test('are imported as they are, and patched', async () => {
    await Promise.all([
      api.create('/api/v1/namespaces/default/configmaps', {
        ...applied,
        metadata: { ...applied.metadata, annotations: lastApplied },
      }),
      api.create('/api/v1/namespaces/default/configmaps', {
        ...applied,
        metadata: { name: 'theirs' },
        data: { theirs: '1' },
      }),
    ]);
    const { summary } = await stack.up(program({ ours: '1' }));
    expect(summary.resourceChanges).toMatchObject({ import: 1, create: 3 });
    expect(await api.get(path)).toMatchObject({ data: { theirs: '1', ours: '1' } });
    expect((await stack.up(program({ ours: '1' }))).summary.resourceChanges).toEqual({ same: 4 });
  });

  test('keep what is theirs when the patch goes', async () => {
    await stack.up(program({ ours: '2' }));
    expect(await api.get(path)).toMatchObject({ data: { theirs: '1', ours: '2' } });
    await stack.destroy();
    expect(await api.get(path)).toMatchObject({ data: { theirs: '1' } });
    expect(await api.get(path)).not.toMatchObject({ data: { ours: '2' } });
    expect(await api.get('/api/v1/namespaces/default/configmaps/adopted')).toBeUndefined();
  });
});
