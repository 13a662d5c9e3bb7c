import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createKubernetesProvider } from '../../providers/kubernetes/provider.ts';
import { PartialFailure, type ResourceProvider, type ResourceState } from '../../providers/protocol/provider.ts';
import { containsSecret, type PropertyMap, reveal, Secret } from '../../providers/protocol/values.ts';
import { type ApiServer, startApiServer } from './apiServer.ts';
import { connectKubeApi, type KubeApi } from './kubeApi.ts';

let server: ApiServer;
let api: KubeApi;
let provider: ResourceProvider;
let namespace: string;
const log = { status: vi.fn(), warning: vi.fn(), flushed: () => Promise.resolve() };

beforeAll(async () => {
  server = await startApiServer({ controllers: ['garbage-collector-controller'] });
  api = await connectKubeApi(server.kubeconfig);
});

afterAll(async () => {
  api?.close();
  await server?.stop();
});

const configured = async (settings: PropertyMap): Promise<ResourceProvider> => {
  const created = createKubernetesProvider(log);
  await created.configure(settings);
  return created;
};

let count = 0;

beforeEach(async () => {
  count += 1;
  namespace = `ns-${count}`;
  await api.create('/api/v1/namespaces', { metadata: { name: namespace } });
  await api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } });
  provider = await configured({ kubeconfig: server.kubeconfig, namespace });
  vi.clearAllMocks();
});

afterEach(() => provider.cancel());

const resource = (token: string) => ({
  urn: `urn:pulumi:s::p::kubernetes:${token}::it`,
  type: `kubernetes:${token}`,
  name: 'it',
});

const check = async (token: string, inputs: PropertyMap, oldInputs?: PropertyMap): Promise<PropertyMap> => {
  const call = { ...resource(token), oldInputs, inputs, randomSeed: Uint8Array.of(1), autonaming: undefined };
  const result = await provider.check(call);
  expect(result.failures).toEqual([]);
  return result.inputs;
};

const create = async (
  token: string,
  inputs: PropertyMap,
  { preview = false, timeoutSeconds = 30 } = {},
): Promise<ResourceState> => {
  const checked = await check(token, inputs);
  const result = await provider.create({ ...resource(token), inputs: checked, timeoutSeconds, preview });
  return { ...result, inputs: checked };
};

const update = async (
  token: string,
  state: ResourceState,
  inputs: PropertyMap,
  ignoreChanges: string[] = [],
): Promise<ResourceState> => {
  const checked = await check(token, inputs, state.inputs);
  const old = { id: state.id, oldInputs: state.inputs, oldOutputs: state.outputs };
  const call = { ...resource(token), ...old, inputs: checked, ignoreChanges, timeoutSeconds: 30, preview: false };
  return { id: state.id, inputs: checked, outputs: await provider.update(call) };
};

const stateOf = (state: ResourceState) => ({ id: state.id, oldInputs: state.inputs, oldOutputs: state.outputs });

const remove = (token: string, state: ResourceState, timeoutSeconds = 30): Promise<void> =>
  provider.delete({ ...resource(token), ...stateOf(state), timeoutSeconds });

const failureOf = async (work: Promise<unknown>): Promise<Error> => {
  const [result] = await Promise.allSettled([work]);
  if (result.status === 'rejected' && result.reason instanceof Error) return result.reason;
  throw new Error('it did not fail');
};

const partialFailureOf = async (work: Promise<unknown>): Promise<PartialFailure> => {
  const failure = await failureOf(work);
  if (failure instanceof PartialFailure) return failure;
  throw failure;
};

const configMap = 'core/v1:ConfigMap';
const named = (name: string, more: PropertyMap = {}): PropertyMap => ({ metadata: { name, ...more } });
const pathTo = (plural: string, name: string, group = '/api/v1'): string =>
  `${group}/namespaces/${namespace}/${plural}/${name}`;
const apps = '/apis/apps/v1';

const labels = { app: 'a' };
const podSpec = { containers: [{ name: 'c', image: 'none', resources: { limits: { cpu: '1000m' } } }] };
const workload = (name: string, more: PropertyMap = {}, metadata: PropertyMap = {}): PropertyMap => ({
  ...named(name, metadata),
  spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec }, ...more },
});
const deployment = 'apps/v1:Deployment';
const skipAwait = { annotations: { 'pulumi.com/skipAwait': 'true' } };

describe('previews', () => {
  test('show what the server makes of an object, and create nothing', async () => {
    const { outputs } = await create(
      'core/v1:Service',
      { ...named('web'), spec: { ports: [{ port: 80 }] } },
      { preview: true },
    );
    expect(outputs).toMatchObject({ spec: { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP' }] } });
    expect(outputs).not.toHaveProperty('status');
    expect(await api.get(pathTo('services', 'web'))).toBeUndefined();
  });

  test('of an update show it, and change nothing', async () => {
    const state = await create(configMap, { ...named('a'), data: { a: '1' } });
    const call = { ...resource(configMap), ...stateOf(state), ignoreChanges: [], timeoutSeconds: 0, preview: true };
    const outputs = await provider.update({ ...call, inputs: { ...state.inputs, data: { b: '2' } } });
    expect(outputs).toMatchObject({ data: { b: '2' } });
    expect(await api.get(pathTo('configmaps', 'a'))).toMatchObject({ data: { a: '1' } });
  });

  test('do with the inputs where the namespace is still to come', async () => {
    const inputs = { ...named('a', { namespace: 'not-yet' }), apiVersion: 'v1', kind: 'ConfigMap' };
    expect((await create(configMap, inputs, { preview: true })).outputs).toEqual(inputs);
  });

  test('do with the inputs where the kind is still to come', async () => {
    const { inputs, outputs } = await create('example.com/v1:Later', named('a'), { preview: true });
    expect(outputs).toEqual(inputs);
  });

  test('say what is wrong with an object', async () => {
    const failure = await failureOf(create(deployment, { ...named('a'), spec: {} }, { preview: true }));
    expect(failure.message).toMatch(/could not create Deployment ns-\d+\/a: .*spec.selector: Required value/);
  });
});

describe('creating', () => {
  test('warns of fields that the server does not know', async () => {
    await create(configMap, { ...named('a'), dta: { a: '1' } });
    expect(log.warning).toHaveBeenCalledWith(expect.any(String), expect.stringContaining('unknown field "dta"'));
  });

  test('says what to correct', async () => {
    const failure = await failureOf(create('core/v1:Secret', { ...named('Not_A_Name'), stringData: { a: 'b' } }));
    expect(failure.message).toMatch(
      /could not create Secret .*metadata.name: Invalid value[\s\S]*next: correct the fields/,
    );
  });

  test('does not take an object that somebody else made', async () => {
    await api.create(pathTo('configmaps', ''), { metadata: { name: 'taken' } });
    const failure = await failureOf(create(configMap, named('taken')));
    expect(failure.message).toMatch(/it exists already\n {2}next: delete it .* import: 'ns-\d+\/taken'/);
  });

  test('does not take an object of ours that has become another', async () => {
    await create(configMap, { ...named('taken'), data: { a: '1' } });
    const failure = await failureOf(create(configMap, { ...named('taken'), data: { a: '2' } }));
    expect(failure.message).toMatch(/from an earlier run, and differs/);
  });

  test.each<[string, string, PropertyMap]>([
    ['as it was written', configMap, { ...named('it'), data: { a: '1' } }],
    ['whose text the server keeps encoded', 'core/v1:Secret', { ...named('it'), stringData: { a: '1' } }],
    ['whose numbers the server writes another way', deployment, workload('it', {}, skipAwait)],
  ])('takes over an object that an interrupted run left, %s', async (_name, token, inputs) => {
    const first = await create(token, inputs);
    const second = await create(token, inputs);
    expect(second.id).toBe(first.id);
    expect(reveal(second.outputs.metadata ?? null)).toEqual(reveal(first.outputs.metadata ?? null));
  });

  test('waits for a namespace that is on its way', async () => {
    const created = create(configMap, named('early', { namespace: `${namespace}-late` }));
    await vi.waitFor(() =>
      expect(log.status).toHaveBeenCalledWith(expect.any(String), expect.stringContaining('waiting')),
    );
    await api.create('/api/v1/namespaces', { metadata: { name: `${namespace}-late` } });
    expect((await created).id).toBe(`${namespace}-late/early`);
  });

  test('waits for its predecessor to go', async () => {
    await api.create(pathTo('configmaps', ''), { metadata: { name: 'old', finalizers: ['test/hold'] } });
    await api.delete(pathTo('configmaps', 'old'));
    const created = create(configMap, { ...named('old'), data: { a: '1' } });
    await vi.waitFor(() =>
      expect(log.status).toHaveBeenCalledWith(
        expect.any(String),
        expect.stringContaining('finalizers left: test/hold'),
      ),
    );
    await api.patch(pathTo('configmaps', 'old'), { metadata: { finalizers: null } });
    expect((await created).outputs).toMatchObject({ data: { a: '1' } });
  });
});

describe('waiting', () => {
  test('for a claim ends when it is bound, or at once where a pod has to come first', async () => {
    const claim = (name: string, storageClassName: string): PropertyMap => ({
      ...named(name),
      spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '1Gi' } } },
    });
    const path = '/apis/storage.k8s.io/v1/storageclasses';
    await api.create(path, {
      metadata: { name: 'later' },
      provisioner: 'x',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    await api.create(path, { metadata: { name: 'now' }, provisioner: 'x', volumeBindingMode: 'Immediate' });
    await create('core/v1:PersistentVolumeClaim', claim('later', 'later'));
    const bound = create('core/v1:PersistentVolumeClaim', claim('now', 'now'));
    await api.see(pathTo('persistentvolumeclaims', 'now'));
    await api.patch(`${pathTo('persistentvolumeclaims', 'now')}/status`, { status: { phase: 'Bound' } });
    expect((await bound).outputs).toMatchObject({ status: { phase: 'Bound' } });
  });

  test('for a service ends when all its pods are ready', async () => {
    const created = create('core/v1:Service', { ...named('web'), spec: { selector: labels, ports: [{ port: 80 }] } });
    await api.see(pathTo('services', 'web'));
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    const endpoint = (address: string, ready: boolean): PropertyMap => ({
      addresses: [address],
      conditions: { ready },
    });
    await api.create(slices, {
      metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: [endpoint('10.1.0.1', true), endpoint('10.1.0.2', false)],
    });
    await vi.waitFor(() =>
      expect(log.status).toHaveBeenCalledWith(expect.any(String), '1 of its 2 pods are not ready'),
    );
    await api.patch(`${slices}/web-1`, { endpoints: [endpoint('10.1.0.1', true), endpoint('10.1.0.2', true)] });
    expect((await created).id).toBe(`${namespace}/web`);
  });

  test('in vain ends at once', async () => {
    const created = partialFailureOf(create('core/v1:Pod', { ...named('broken'), spec: podSpec }));
    await api.see(pathTo('pods', 'broken'));
    await api.patch(`${pathTo('pods', 'broken')}/status`, { status: { phase: 'Failed', reason: 'Evicted' } });
    expect((await created).reasons[0]).toMatch(/Pod ns-\d+\/broken was not ready and will not get ready: Evicted/);
  });

  test('too long says what the pods say', async () => {
    await api.create(pathTo('pods', ''), { metadata: { name: 'web-1', labels }, spec: podSpec });
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
    const container = { name: 'c', image: 'none', imageID: '', ready: false, restartCount: 0, state: { waiting } };
    await api.patch(`${pathTo('pods', 'web-1')}/status`, { status: { containerStatuses: [container] } });
    const { reasons, state } = await partialFailureOf(create(deployment, workload('web'), { timeoutSeconds: 1 }));
    expect(reasons).toEqual([
      expect.stringMatching(/was not ready after 1 s: the deployment controller has not seen it yet/),
      'pod web-1: container c: ImagePullBackOff: no such image',
    ]);
    expect(state).toMatchObject({ id: `${namespace}/web`, outputs: { kind: 'Deployment' } });
  });

  test('ends with the operation, and keeps the object in the state', async () => {
    const created = partialFailureOf(create(deployment, workload('web')));
    await api.see(pathTo('deployments', 'web', apps));
    provider.cancel();
    expect((await created).reasons[0]).toMatch(/was not ready when this was cancelled/);
  });

  test('is left out where the object says so', async () => {
    await create(deployment, workload('web', {}, skipAwait));
    expect(log.status).not.toHaveBeenCalledWith(expect.any(String), expect.stringContaining('controller'));
  });
});

describe('updating', () => {
  test('removes what the creation set and the program dropped', async () => {
    const state = await create(configMap, { ...named('a', { labels: { one: '1', two: '2' } }), data: { a: '1' } });
    await update(configMap, state, { ...named('a', { labels: { two: '2' } }), data: { a: '1' } });
    expect(await api.get(pathTo('configmaps', 'a'))).toMatchObject({ metadata: { labels: { two: '2' } } });
    const live = await api.get(pathTo('configmaps', 'a'));
    expect(live).not.toMatchObject({ metadata: { labels: { one: '1' } } });
  });

  test('does not overwrite what others have set, unless it is told to', async () => {
    const state = await create(configMap, { ...named('a'), data: { a: '1' } });
    await api.patch(pathTo('configmaps', 'a'), { data: { a: 'theirs' } }, 'somebody');
    const failure = await failureOf(update(configMap, state, { ...named('a'), data: { a: '2' } }));
    expect(failure.message).toMatch(/conflict with "somebody"[\s\S]*pulumi.com\/patchForce/);
    const force = { annotations: { 'pulumi.com/patchForce': 'true' } };
    await update(configMap, state, { ...named('a', force), data: { a: '2' } });
    expect(await api.get(pathTo('configmaps', 'a'))).toMatchObject({ data: { a: '2' } });
  });

  test('leaves alone what the program ignores', async () => {
    const state = await create(deployment, workload('web', { replicas: 1 }, skipAwait));
    await api.patch(pathTo('deployments', 'web', apps), { spec: { replicas: 7 } }, 'autoscaler');
    const inputs = workload('web', { replicas: 1, minReadySeconds: 3 }, skipAwait);
    const { outputs } = await update(deployment, state, inputs, ['spec.replicas']);
    expect(outputs).toMatchObject({ spec: { replicas: 7, minReadySeconds: 3 } });
  });

  test('of what is gone asks for a refresh', async () => {
    const state = await create(configMap, named('a'));
    await api.delete(pathTo('configmaps', 'a'));
    const failure = await failureOf(update(configMap, state, { ...named('a'), data: { a: '1' } }));
    expect(failure.message).toMatch(/it is not there any more\n {2}next: refresh the stack/);
  });

  test('of a definition drops what its schema leaves out', async () => {
    const definition = 'apiextensions.k8s.io/v1:CustomResourceDefinition';
    const things = (properties: PropertyMap): PropertyMap => ({
      ...named('parts.example.com'),
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { plural: 'parts', kind: 'Part' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties } } },
        ],
      },
    });
    const state = await create(definition, things({ old: { type: 'string' } }));
    const { outputs } = await update(
      definition,
      state,
      things({ new: { type: 'string', x_kubernetes_int_or_string: false } }),
    );
    const versions = [{ schema: { openAPIV3Schema: { properties: { new: { type: 'string' } } } } }];
    expect(outputs).toMatchObject({ spec: { versions } });
    expect(JSON.stringify(outputs.spec)).not.toContain('"old"');
    await remove(definition, state);
  });
});

describe('reading', () => {
  test('finds nothing where there is nothing, nor where the kind is gone', async () => {
    const nothing = { id: 'a', oldInputs: {}, oldOutputs: {} };
    expect(await provider.read({ ...resource(configMap), ...nothing })).toBeUndefined();
    expect(await provider.read({ ...resource('example.com/v1:Gone'), ...nothing })).toBeUndefined();
  });

  test('of an object without drift gives back its inputs as they were', async () => {
    const state = await create(deployment, workload('web', {}, skipAwait));
    expect((await provider.read({ ...resource(deployment), ...stateOf(state) }))?.inputs).toEqual(state.inputs);
  });

  test('hides the data of a Secret that is imported', async () => {
    await api.create(pathTo('secrets', ''), { metadata: { name: 'theirs' }, data: { a: 'aGlkZGVu' } });
    const read = await provider.read({
      ...resource('core/v1:Secret'),
      id: `${namespace}/theirs`,
      oldInputs: {},
      oldOutputs: {},
    });
    expect(read?.inputs).toMatchObject({
      kind: 'Secret',
      metadata: { name: 'theirs' },
      data: new Secret({ a: 'aGlkZGVu' }),
    });
    expect(containsSecret(read?.outputs.data ?? null)).toBe(true);
  });

  test('of an object that is not ready says so', async () => {
    const state = await create(deployment, workload('web', {}, skipAwait));
    const awaited = { ...state, inputs: workload('web') };
    const failure = await partialFailureOf(
      provider.read({ ...resource(deployment), ...stateOf(awaited) }) as Promise<unknown>,
    );
    expect(failure.reasons[0]).toMatch(/Deployment ns-\d+\/web is not ready/);
  });
});

describe('deleting', () => {
  test('what is gone already is done', async () => {
    const state = await create(configMap, named('a'));
    await api.delete(pathTo('configmaps', 'a'));
    await remove(configMap, state);
  });

  test('waits, and says what keeps the object', async () => {
    const state = await create(configMap, named('held', { finalizers: ['test/hold'] }));
    const failure = await failureOf(remove(configMap, state, 1));
    expect(failure.message).toMatch(/ConfigMap ns-\d+\/held was still there after 1 s: finalizers left: test\/hold/);
    const removed = remove(configMap, state);
    await api.patch(pathTo('configmaps', 'held'), { metadata: { finalizers: null } });
    await removed;
    expect(await api.get(pathTo('configmaps', 'held'))).toBeUndefined();
  });

  test('a patch leaves the object, without our fields', async () => {
    await api.create(pathTo('configmaps', ''), { metadata: { name: 'theirs' }, data: { theirs: '1' } });
    const patch = { apiVersion: 'v1', kind: 'ConfigMap', ...named('theirs'), data: { ours: '1' } };
    const state = await create(`${configMap}Patch`, patch);
    await remove(`${configMap}Patch`, state);
    const live = await api.get(pathTo('configmaps', 'theirs'));
    expect(live?.data).toEqual({ theirs: '1' });
  });
});

describe('a cluster that does not let us in', () => {
  test('says who is not allowed to do what', async () => {
    const accountPath = pathTo('serviceaccounts', 'default');
    const issued = await api.create(`${accountPath}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    const token = (issued.status as { token: string }).token;
    const withToken = (text: string): string =>
      server.kubeconfig.replace(/client-certificate-data: .*\n\s+client-key-data: .*/, `token: ${text}`);
    provider = await configured({ kubeconfig: withToken(token), namespace });
    expect((await failureOf(create(configMap, named('a')))).message).toMatch(
      /configmaps is forbidden: User "system:serviceaccount:ns-\d+:default" cannot create[\s\S]*next: give the kubeconfig's user/,
    );
    const preview = await create(configMap, named('a'), { preview: true });
    expect(preview.outputs).toEqual(preview.inputs);
    provider = await configured({ kubeconfig: withToken('wrong'), namespace });
    expect((await failureOf(create(configMap, named('a')))).message).toMatch(/next: check the credentials/);
  });

  test('or is not there: previews do without it, updates say so, and its objects can be forgotten', async () => {
    const kubeconfig = server.kubeconfig.replace(/server: .*/, 'server: https://127.0.0.1:1');
    const state = await create(configMap, named('a'));
    provider = await configured({ kubeconfig, namespace });
    expect((await create(configMap, named('b'), { preview: true })).outputs).toMatchObject(named('b'));
    const failure = await failureOf(create(configMap, named('b')));
    expect(failure.message).toMatch(
      /https:\/\/127.0.0.1:1 does not answer: .*ECONNREFUSED[\s\S]*PULUMI_K8S_DELETE_UNREACHABLE/,
    );
    expect((await failureOf(remove(configMap, state))).message).toMatch(/does not answer/);
    provider = await configured({ kubeconfig, namespace, deleteUnreachable: 'true' });
    expect(await provider.read({ ...resource(configMap), ...stateOf(state) })).toBeUndefined();
    await remove(configMap, state);
  });
});
