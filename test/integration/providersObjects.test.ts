import { describe, expect, test, vi } from 'vitest';
import { type PropertyMap, reveal } from '../../providers/protocol/values.ts';
import {
  apps,
  configMap,
  deployment,
  driveProvider,
  failureOf,
  labels,
  named,
  partialFailureOf,
  podSpec,
  resource,
  skipAwait,
  stateOf,
  workload,
} from './providerDriver.ts';

const driver = driveProvider();

describe('previews', () => {
  test('show what the server makes of an object, and create nothing', async () => {
    const { outputs } = await driver.create(
      'core/v1:Service',
      { ...named('web'), spec: { ports: [{ port: 80 }] } },
      { preview: true },
    );
    expect(outputs).toMatchObject({ spec: { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP' }] } });
    expect(outputs).not.toHaveProperty('status');
    expect(await driver.api.get(driver.pathTo('services', 'web'))).toBeUndefined();
  });

  test('of an update show it, and change nothing', async () => {
    const state = await driver.create(configMap, { ...named('a'), data: { a: '1' } });
    const call = { ...resource(configMap), ...stateOf(state), ignoreChanges: [], timeoutSeconds: 0, preview: true };
    const outputs = await driver.provider.update({ ...call, inputs: { ...state.inputs, data: { b: '2' } } });
    expect(outputs).toMatchObject({ data: { b: '2' } });
    expect(await driver.api.get(driver.pathTo('configmaps', 'a'))).toMatchObject({ data: { a: '1' } });
  });

  test('do with the inputs where the namespace is still to come', async () => {
    const inputs = { ...named('a', { namespace: 'not-yet' }), apiVersion: 'v1', kind: 'ConfigMap' };
    expect((await driver.create(configMap, inputs, { preview: true })).outputs).toEqual(inputs);
  });

  test('do with the inputs where the kind is still to come', async () => {
    const { inputs, outputs } = await driver.create('example.com/v1:Later', named('a'), { preview: true });
    expect(outputs).toEqual(inputs);
  });

  test('say what is wrong with an object', async () => {
    const failure = await failureOf(driver.create(deployment, { ...named('a'), spec: {} }, { preview: true }));
    expect(failure.message).toMatch(/could not create Deployment ns-\d+\/a: .*spec.selector: Required value/);
  });
});

describe('creating', () => {
  test('warns of fields that the server does not know', async () => {
    await driver.create(configMap, { ...named('a'), dta: { a: '1' } });
    expect(driver.log.warning).toHaveBeenCalledWith(expect.any(String), expect.stringContaining('unknown field "dta"'));
  });

  test('says what to correct', async () => {
    const failure = await failureOf(
      driver.create('core/v1:Secret', { ...named('Not_A_Name'), stringData: { a: 'b' } }),
    );
    expect(failure.message).toMatch(
      /could not create Secret .*metadata.name: Invalid value[\s\S]*next: correct the fields/,
    );
  });

  test('does not take an object that somebody else made', async () => {
    await driver.api.create(driver.pathTo('configmaps', ''), { metadata: { name: 'taken' } });
    const failure = await failureOf(driver.create(configMap, named('taken')));
    expect(failure.message).toMatch(/it exists already\n {2}next: delete it .* import: 'ns-\d+\/taken'/);
  });

  test('does not take an object of ours that has become another', async () => {
    await driver.create(configMap, { ...named('taken'), data: { a: '1' } });
    const failure = await failureOf(driver.create(configMap, { ...named('taken'), data: { a: '2' } }));
    expect(failure.message).toMatch(/from an earlier run, and differs/);
  });

  test.each<[string, string, PropertyMap]>([
    ['as it was written', configMap, { ...named('it'), data: { a: '1' } }],
    ['whose text the server keeps encoded', 'core/v1:Secret', { ...named('it'), stringData: { a: '1' } }],
    ['whose numbers the server writes another way', deployment, workload('it', {}, skipAwait)],
  ])('takes over an object that an interrupted run left, %s', async (_name, token, inputs) => {
    const first = await driver.create(token, inputs);
    const second = await driver.create(token, inputs);
    expect(second.id).toBe(first.id);
    expect(reveal(second.outputs.metadata ?? null)).toEqual(reveal(first.outputs.metadata ?? null));
  });

  test('waits for a namespace that is on its way', async () => {
    const created = driver.create(configMap, named('early', { namespace: `${driver.namespace}-late` }));
    await vi.waitFor(() =>
      expect(driver.log.status).toHaveBeenCalledWith(expect.any(String), expect.stringContaining('waiting')),
    );
    await driver.api.create('/api/v1/namespaces', { metadata: { name: `${driver.namespace}-late` } });
    expect((await created).id).toBe(`${driver.namespace}-late/early`);
  });

  test('waits for its predecessor to go', async () => {
    await driver.api.create(driver.pathTo('configmaps', ''), { metadata: { name: 'old', finalizers: ['test/hold'] } });
    await driver.api.delete(driver.pathTo('configmaps', 'old'));
    const created = driver.create(configMap, { ...named('old'), data: { a: '1' } });
    await vi.waitFor(() =>
      expect(driver.log.status).toHaveBeenCalledWith(
        expect.any(String),
        expect.stringContaining('finalizers left: test/hold'),
      ),
    );
    await driver.api.patch(driver.pathTo('configmaps', 'old'), { metadata: { finalizers: null } });
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
    await driver.api.create(path, {
      metadata: { name: 'later' },
      provisioner: 'x',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    await driver.api.create(path, { metadata: { name: 'now' }, provisioner: 'x', volumeBindingMode: 'Immediate' });
    await driver.create('core/v1:PersistentVolumeClaim', claim('later', 'later'));
    const bound = driver.create('core/v1:PersistentVolumeClaim', claim('now', 'now'));
    await driver.api.see(driver.pathTo('persistentvolumeclaims', 'now'));
    await driver.api.patch(`${driver.pathTo('persistentvolumeclaims', 'now')}/status`, { status: { phase: 'Bound' } });
    expect((await bound).outputs).toMatchObject({ status: { phase: 'Bound' } });
  });

  test('for a service ends when all its pods are ready', async () => {
    const created = driver.create('core/v1:Service', {
      ...named('web'),
      spec: { selector: labels, ports: [{ port: 80 }] },
    });
    await driver.api.see(driver.pathTo('services', 'web'));
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${driver.namespace}/endpointslices`;
    const endpoint = (address: string, ready: boolean): PropertyMap => ({
      addresses: [address],
      conditions: { ready },
    });
    await driver.api.create(slices, {
      metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: [endpoint('10.1.0.1', true), endpoint('10.1.0.2', false)],
    });
    await vi.waitFor(() =>
      expect(driver.log.status).toHaveBeenCalledWith(expect.any(String), '1 of its 2 pods are not ready'),
    );
    await driver.api.patch(`${slices}/web-1`, { endpoints: [endpoint('10.1.0.1', true), endpoint('10.1.0.2', true)] });
    expect((await created).id).toBe(`${driver.namespace}/web`);
  });

  test('in vain ends at once', async () => {
    const created = partialFailureOf(driver.create('core/v1:Pod', { ...named('broken'), spec: podSpec }));
    await driver.api.see(driver.pathTo('pods', 'broken'));
    await driver.api.patch(`${driver.pathTo('pods', 'broken')}/status`, {
      status: { phase: 'Failed', reason: 'Evicted' },
    });
    expect((await created).reasons[0]).toMatch(/Pod ns-\d+\/broken was not ready and will not get ready: Evicted/);
  });

  test('too long says what the pods say', async () => {
    await driver.api.create(driver.pathTo('pods', ''), { metadata: { name: 'web-1', labels }, spec: podSpec });
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
    const container = { name: 'c', image: 'none', imageID: '', ready: false, restartCount: 0, state: { waiting } };
    await driver.api.patch(`${driver.pathTo('pods', 'web-1')}/status`, { status: { containerStatuses: [container] } });
    const { reasons, state } = await partialFailureOf(
      driver.create(deployment, workload('web'), { timeoutSeconds: 1 }),
    );
    expect(reasons).toEqual([
      expect.stringMatching(/was not ready after 1 s: the deployment controller has not seen it yet/),
      'pod web-1: container c: ImagePullBackOff: no such image',
    ]);
    expect(state).toMatchObject({ id: `${driver.namespace}/web`, outputs: { kind: 'Deployment' } });
  });

  test('ends with the operation, and keeps the object in the state', async () => {
    const created = partialFailureOf(driver.create(deployment, workload('web')));
    await driver.api.see(driver.pathTo('deployments', 'web', apps));
    driver.provider.cancel();
    expect((await created).reasons[0]).toMatch(/was not ready when this was cancelled/);
  });

  test('is left out where the object says so', async () => {
    await driver.create(deployment, workload('web', {}, skipAwait));
    expect(driver.log.status).not.toHaveBeenCalledWith(expect.any(String), expect.stringContaining('controller'));
  });
});
