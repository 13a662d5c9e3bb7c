import { local, remote } from '@pulumi/command';
import { CustomResource } from '@pulumi/kubernetes/apiextensions/customResource.js';
import { CustomResourceDefinition } from '@pulumi/kubernetes/apiextensions/v1/index.js';
import { ConfigMap, Namespace, Secret } from '@pulumi/kubernetes/core/v1/index.js';
import { Release } from '@pulumi/kubernetes/helm/v3/release.js';
import { Provider } from '@pulumi/kubernetes/provider.js';
import { secret } from '@pulumi/pulumi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from './apiServer.ts';
import { connectKubeApi, type KubeApi } from './kubeApi.ts';
import { createTestStack, type TestStack } from './providersStack.ts';

const controllers = ['garbage-collector-controller', 'namespace-controller'];

let server: ApiServer;
let api: KubeApi;
const stacks: TestStack[] = [];

const newStack = async (): Promise<TestStack> => {
  const stack = await createTestStack();
  stacks.push(stack);
  return stack;
};

beforeAll(async () => {
  server = await startApiServer({ controllers });
  api = await connectKubeApi(server.kubeconfig);
});

afterAll(async () => {
  await Promise.all(stacks.map((stack) => stack.remove()));
  api?.close();
  await server?.stop();
});

describe('a stack from its first preview to its end', () => {
  interface Options {
    readonly color: string;
    readonly labels?: Record<string, string>;
    readonly password?: string;
  }

  const program =
    ({ color, labels = {}, password = 'correct-horse-battery' }: Options) =>
    async (): Promise<Record<string, unknown>> => {
      const { stdout: kubeconfig } = new local.Command('kubeconfig', {
        create: `cat ${server.kubeconfigPath}`,
        logging: 'none',
      });
      const provider = new Provider('cluster', { kubeconfig, namespace: 'life' });
      const other = new Provider('other', { kubeconfig: server.kubeconfig, namespace: 'default' });
      const namespace = new Namespace('life', { metadata: { name: 'life', labels } }, { provider });
      const inside = { provider, dependsOn: namespace };
      const fixed = new ConfigMap('fixed', { metadata: { name: 'fixed' }, data: { color } }, inside);
      const named = new ConfigMap('named', { data: { color } }, inside);
      const elsewhere = new ConfigMap('elsewhere', { metadata: { name: 'elsewhere' } }, { provider: other });
      new Secret('login', { metadata: { name: 'login' }, stringData: { password } }, inside);
      new ConfigMap('half', { metadata: { name: 'half', annotations: { key: secret(password) } } }, inside);
      const definition = new CustomResourceDefinition(
        'things',
        {
          metadata: { name: 'things.example.com' },
          spec: {
            group: 'example.com',
            scope: 'Namespaced',
            names: { plural: 'things', kind: 'Thing' },
            versions: [
              {
                name: 'v1',
                served: true,
                storage: true,
                schema: { openAPIV3Schema: { type: 'object', x_kubernetes_preserve_unknown_fields: true } },
              },
            ],
          },
        },
        { provider },
      );
      new CustomResource(
        'thing',
        {
          apiVersion: 'example.com/v1',
          kind: 'Thing',
          // The garbage collector, which foreground deletion needs, learns of a new kind within 30 s only.
          metadata: { name: 'thing', annotations: { 'pulumi.com/deletionPropagationPolicy': 'background' } },
          spec: { size: 1 },
        },
        { provider, dependsOn: [definition, namespace] },
      );
      return { fixed: fixed.id, named: named.metadata.name, elsewhere: elsewhere.id };
    };

  const path = (name: string): string => `/api/v1/namespaces/life/configmaps/${name}`;
  let stack: TestStack;
  let firstName: string;

  beforeAll(async () => {
    stack = await newStack();
  });

  test('a preview changes nothing', async () => {
    expect(await stack.preview(program({ color: 'red' }))).toEqual({ create: 12 });
    expect(await api.get('/api/v1/namespaces/life')).toBeUndefined();
  });

  test('an update creates everything, each object through its own provider', async () => {
    const { outputs, summary } = await stack.up(program({ color: 'red' }));
    expect(summary.resourceChanges).toEqual({ create: 12 });
    firstName = outputs.named?.value;
    expect(firstName).toMatch(/^named-[0-9a-f]{8}$/);
    expect(outputs.fixed?.value).toBe('life/fixed');
    expect(outputs.elsewhere?.value).toBe('default/elsewhere');
    expect(await api.get(path('fixed'))).toMatchObject({
      data: { color: 'red' },
      metadata: { managedFields: [{ manager: 'pulumi-kubernetes', operation: 'Update' }] },
    });
    expect(await api.get('/apis/example.com/v1/namespaces/life/things/thing')).toMatchObject({ spec: { size: 1 } });
  });

  test('the state has the shape of the official provider', async () => {
    const resources = await stack.resources();
    const fixed = resources.find(({ id }) => id === 'life/fixed');
    const inputs = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'fixed', namespace: 'life' },
      data: { color: 'red' },
    };
    expect(fixed).toMatchObject({
      type: 'kubernetes:core/v1:ConfigMap',
      inputs,
      outputs: {
        ...inputs,
        metadata: { uid: expect.any(String) },
        __inputs: inputs,
        __initialApiVersion: 'v1',
        __fieldManager: expect.stringMatching(/^pulumi-kubernetes-[0-9a-f]{8}$/),
      },
    });
  });

  test('secrets are nowhere in the state in plain text', async () => {
    const text = await stack.stateText();
    expect(text).not.toContain('correct-horse-battery');
    expect(text).not.toContain(Buffer.from('correct-horse-battery').toString('base64'));
  });

  test('a second update changes nothing', async () => {
    const { summary } = await stack.up(program({ color: 'red' }));
    expect(summary.resourceChanges).toEqual({ same: 12 });
  });

  test('changes update in place, or replace where they must', async () => {
    const { outputs, summary } = await stack.up(program({ color: 'blue', labels: { team: 'a' } }));
    expect(summary.resourceChanges).toMatchObject({ update: 1, replace: 2, same: 9 });
    expect(await api.get('/api/v1/namespaces/life')).toMatchObject({ metadata: { labels: { team: 'a' } } });
    expect(await api.get(path('fixed'))).toMatchObject({ data: { color: 'blue' } });
    expect(outputs.named?.value).not.toBe(firstName);
    expect(await api.get(path(firstName))).toBeUndefined();
    expect(await api.get(path(outputs.named?.value))).toMatchObject({ data: { color: 'blue' } });
  });

  test('a refresh finds what others changed, and the next update mends it', async () => {
    await api.patch(path('fixed'), { data: { color: 'green' } });
    await api.patch('/api/v1/namespaces/life', { metadata: { labels: { foreign: 'b' } } }, 'somebody');
    await api.delete('/api/v1/namespaces/life/secrets/login');
    expect(await stack.refresh(program({ color: 'blue', labels: { team: 'a' } }))).toMatchObject({
      update: 1,
      delete: 1,
    });
    const { summary } = await stack.up(program({ color: 'blue' }));
    expect(summary.resourceChanges).toMatchObject({ update: 1, replace: 1, create: 1 });
    expect(await api.get(path('fixed'))).toMatchObject({ data: { color: 'blue' } });
    const namespace = await api.get('/api/v1/namespaces/life');
    // What the program dropped is gone, what others added stays.
    expect(namespace).toMatchObject({ metadata: { labels: { foreign: 'b' } } });
    expect(namespace).not.toMatchObject({ metadata: { labels: { team: 'a' } } });
  });

  test('the end leaves nothing', async () => {
    await stack.destroy();
    expect(await api.get('/api/v1/namespaces/life')).toBeUndefined();
    expect(await api.get('/api/v1/namespaces/default/configmaps/elsewhere')).toBeUndefined();
    expect(await stack.resources()).toEqual([]);
  });
});

describe('what the stand-ins leave to the official providers', () => {
  const official = /not supported by the stand-in[\s\S]*pulumi plugin install resource (kubernetes|command)/;

  test('is refused before anything is done', async () => {
    const stack = await newStack();
    const release = async (): Promise<void> => {
      const provider = new Provider('cluster', { kubeconfig: server.kubeconfig });
      new Release('chart', { chart: 'x' }, { provider });
    };
    await expect(stack.preview(release)).rejects.toThrow(official);
    const rendered = async (): Promise<void> => {
      new Provider('cluster', { renderYamlToDirectory: 'out' });
    };
    await expect(stack.preview(rendered)).rejects.toThrow(official);
    const overSsh = async (): Promise<void> => {
      new remote.Command('remote', { connection: { host: 'nowhere' }, create: 'true' });
    };
    await expect(stack.preview(overSsh)).rejects.toThrow(official);
  });
});
