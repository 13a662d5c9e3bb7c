import { describe, expect, test } from 'vitest';
import { containsSecret, type PropertyMap, Secret } from '../../providers/protocol/values.ts';
import {
  apps,
  configMap,
  deployment,
  driveProvider,
  failureOf,
  named,
  partialFailureOf,
  resource,
  skipAwait,
  stateOf,
  workload,
} from './providerDriver.ts';

const driver = driveProvider();

describe('updating', () => {
  test('removes what the creation set and the program dropped', async () => {
    const state = await driver.create(configMap, {
      ...named('a', { labels: { one: '1', two: '2' } }),
      data: { a: '1' },
    });
    await driver.update(configMap, state, { ...named('a', { labels: { two: '2' } }), data: { a: '1' } });
    expect(await driver.api.get(driver.pathTo('configmaps', 'a'))).toMatchObject({
      metadata: { labels: { two: '2' } },
    });
    const live = await driver.api.get(driver.pathTo('configmaps', 'a'));
    expect(live).not.toMatchObject({ metadata: { labels: { one: '1' } } });
  });

  test('does not overwrite what others have set, unless it is told to', async () => {
    const state = await driver.create(configMap, { ...named('a'), data: { a: '1' } });
    await driver.api.patch(driver.pathTo('configmaps', 'a'), { data: { a: 'theirs' } }, 'somebody');
    const failure = await failureOf(driver.update(configMap, state, { ...named('a'), data: { a: '2' } }));
    expect(failure.message).toMatch(/conflict with "somebody"[\s\S]*pulumi.com\/patchForce/);
    const force = { annotations: { 'pulumi.com/patchForce': 'true' } };
    await driver.update(configMap, state, { ...named('a', force), data: { a: '2' } });
    expect(await driver.api.get(driver.pathTo('configmaps', 'a'))).toMatchObject({ data: { a: '2' } });
  });

  test('leaves alone what the program ignores', async () => {
    const state = await driver.create(deployment, workload('web', { replicas: 1 }, skipAwait));
    await driver.api.patch(driver.pathTo('deployments', 'web', apps), { spec: { replicas: 7 } }, 'autoscaler');
    const inputs = workload('web', { replicas: 1, minReadySeconds: 3 }, skipAwait);
    const { outputs } = await driver.update(deployment, state, inputs, ['spec.replicas']);
    expect(outputs).toMatchObject({ spec: { replicas: 7, minReadySeconds: 3 } });
  });

  test('of what is gone asks for a refresh', async () => {
    const state = await driver.create(configMap, named('a'));
    await driver.api.delete(driver.pathTo('configmaps', 'a'));
    const failure = await failureOf(driver.update(configMap, state, { ...named('a'), data: { a: '1' } }));
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
    const state = await driver.create(definition, things({ old: { type: 'string' } }));
    const { outputs } = await driver.update(
      definition,
      state,
      things({ new: { type: 'string', x_kubernetes_int_or_string: false } }),
    );
    const versions = [{ schema: { openAPIV3Schema: { properties: { new: { type: 'string' } } } } }];
    expect(outputs).toMatchObject({ spec: { versions } });
    expect(JSON.stringify(outputs.spec)).not.toContain('"old"');
    await driver.remove(definition, state);
  });
});

describe('reading', () => {
  test('finds nothing where there is nothing, nor where the kind is gone', async () => {
    const nothing = { id: 'a', oldInputs: {}, oldOutputs: {} };
    expect(await driver.provider.read({ ...resource(configMap), ...nothing })).toBeUndefined();
    expect(await driver.provider.read({ ...resource('example.com/v1:Gone'), ...nothing })).toBeUndefined();
  });

  test('of an object without drift gives back its inputs as they were', async () => {
    const state = await driver.create(deployment, workload('web', {}, skipAwait));
    expect((await driver.provider.read({ ...resource(deployment), ...stateOf(state) }))?.inputs).toEqual(state.inputs);
  });

  test('hides the data of a Secret that is imported', async () => {
    await driver.api.create(driver.pathTo('secrets', ''), { metadata: { name: 'theirs' }, data: { a: 'aGlkZGVu' } });
    const read = await driver.provider.read({
      ...resource('core/v1:Secret'),
      id: `${driver.namespace}/theirs`,
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
    const state = await driver.create(deployment, workload('web', {}, skipAwait));
    const awaited = { ...state, inputs: workload('web') };
    const failure = await partialFailureOf(
      driver.provider.read({ ...resource(deployment), ...stateOf(awaited) }) as Promise<unknown>,
    );
    expect(failure.reasons[0]).toMatch(/Deployment ns-\d+\/web is not ready/);
  });
});

describe('deleting', () => {
  test('what is gone already is done', async () => {
    const state = await driver.create(configMap, named('a'));
    await driver.api.delete(driver.pathTo('configmaps', 'a'));
    await driver.remove(configMap, state);
  });

  test('waits, and says what keeps the object', async () => {
    const state = await driver.create(configMap, named('held', { finalizers: ['test/hold'] }));
    const failure = await failureOf(driver.remove(configMap, state, 1));
    expect(failure.message).toMatch(/ConfigMap ns-\d+\/held was still there after 1 s: finalizers left: test\/hold/);
    const removed = driver.remove(configMap, state);
    await driver.api.patch(driver.pathTo('configmaps', 'held'), { metadata: { finalizers: null } });
    await removed;
    expect(await driver.api.get(driver.pathTo('configmaps', 'held'))).toBeUndefined();
  });

  test('a patch leaves the object, without our fields', async () => {
    await driver.api.create(driver.pathTo('configmaps', ''), { metadata: { name: 'theirs' }, data: { theirs: '1' } });
    const patch = { apiVersion: 'v1', kind: 'ConfigMap', ...named('theirs'), data: { ours: '1' } };
    const state = await driver.create(`${configMap}Patch`, patch);
    await driver.remove(`${configMap}Patch`, state);
    const live = await driver.api.get(driver.pathTo('configmaps', 'theirs'));
    expect(live?.data).toEqual({ theirs: '1' });
  });
});

describe('a cluster that does not let us in', () => {
  test('says who is not allowed to do what', async () => {
    const accountPath = driver.pathTo('serviceaccounts', 'default');
    const issued = await driver.api.create(`${accountPath}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    const token = (issued.status as { token: string }).token;
    const withToken = (text: string): string =>
      driver.server.kubeconfig.replace(/client-certificate-data: .*\n\s+client-key-data: .*/, `token: ${text}`);
    await driver.configure({ kubeconfig: withToken(token), namespace: driver.namespace });
    expect((await failureOf(driver.create(configMap, named('a')))).message).toMatch(
      /configmaps is forbidden: User "system:serviceaccount:ns-\d+:default" cannot create[\s\S]*next: give the kubeconfig's user/,
    );
    const preview = await driver.create(configMap, named('a'), { preview: true });
    expect(preview.outputs).toEqual(preview.inputs);
    await driver.configure({ kubeconfig: withToken('wrong'), namespace: driver.namespace });
    expect((await failureOf(driver.create(configMap, named('a')))).message).toMatch(/next: check the credentials/);
  });

  test('or is not there: previews do without it, updates say so, and its objects can be forgotten', async () => {
    const kubeconfig = driver.server.kubeconfig.replace(/server: .*/, 'server: https://127.0.0.1:1');
    const state = await driver.create(configMap, named('a'));
    await driver.configure({ kubeconfig, namespace: driver.namespace });
    expect((await driver.create(configMap, named('b'), { preview: true })).outputs).toMatchObject(named('b'));
    const failure = await failureOf(driver.create(configMap, named('b')));
    expect(failure.message).toMatch(
      /https:\/\/127.0.0.1:1 does not answer: .*ECONNREFUSED[\s\S]*PULUMI_K8S_DELETE_UNREACHABLE/,
    );
    expect((await failureOf(driver.remove(configMap, state))).message).toMatch(/does not answer/);
    await driver.configure({ kubeconfig, namespace: driver.namespace, deleteUnreachable: 'true' });
    expect(await driver.provider.read({ ...resource(configMap), ...stateOf(state) })).toBeUndefined();
    await driver.remove(configMap, state);
  });
});
