import type { RequestOptions } from 'node:https';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type KubeClient, kubeClient } from '../../common/kubeClient.ts';
import { createLog } from '../../common/log.ts';
import { waitFor } from '../../common/waitFor.ts';
import { clusterOperatorRules } from '../../infra/EncryptionOperator.ts';
import { followClusterOperator } from '../../operator/clusterOperator/follow.ts';
import type { ClusterOperatorStatus } from '../../operator/clusterOperator/status.ts';
import type { OperatorCondition } from '../../operator/observation.ts';
import { startTestCluster, type TestCluster } from './operatorCluster.ts';
import { type Running, startOperator } from './operatorRun.ts';

const collection = '/apis/config.openshift.io/v1/clusteroperators';
const path = `${collection}/kube-apiserver`;
const operatorPath = '/apis/operator.openshift.io/v1/kubeapiservers/cluster';
const inertiaMs = 1_000;

let cluster: TestCluster;
let limited: KubeClient;
let following: Following;

interface Following extends Running {
  readonly writes: () => number;
  readonly warnings: () => readonly unknown[];
}

const rbac = 'rbac.authorization.k8s.io';

/** A client that may do what the loop is for, and nothing else. */
const limitedClient = async ({ client, config }: TestCluster): Promise<KubeClient> => {
  const role = { kind: 'ClusterRole', metadata: { name: 'follower' } };
  const reads = {
    apiGroups: ['operator.openshift.io'],
    resources: ['kubeapiservers'],
    verbs: ['get', 'list', 'watch'],
  };
  const create = (resource: string, body: object) =>
    client.send({ method: 'POST', path: `/apis/${rbac}/v1/${resource}`, body });
  await create('clusterroles', { ...role, rules: [...clusterOperatorRules, reads] });
  await create('clusterrolebindings', {
    metadata: role.metadata,
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'follower' },
    subjects: [{ apiGroup: rbac, kind: 'User', name: 'follower' }],
  });
  return kubeClient({
    server: client.server,
    credentials: async () => {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return { ...options, headers: { 'impersonate-user': 'follower' } };
    },
  });
};

const follow = (): Following => {
  const controller = new AbortController();
  const log = createLog('silent');
  const warn = vi.spyOn(log, 'warn');
  let writes = 0;
  const counting: KubeClient = {
    ...limited,
    apply: (...args) => {
      writes += 1;
      return limited.apply(...args);
    },
  };
  const running = followClusterOperator({
    client: counting,
    log,
    signal: controller.signal,
    inertia: () => inertiaMs,
  });
  return {
    writes: () => writes,
    warnings: () => warn.mock.calls,
    stop: async () => {
      controller.abort();
      await running;
    },
  };
};

const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

const condition = (
  type: string,
  status: OperatorCondition['status'],
  message = '',
  reason = '',
): OperatorCondition => ({ type, status, lastTransitionTime: now(), message, reason });

const healthy = (): readonly OperatorCondition[] => [
  condition('EncryptionKeyControllerDegraded', 'False'),
  condition('EncryptionMigrationControllerProgressing', 'False'),
  condition('StaticPodsAvailable', 'True', '1 nodes are active', 'AsExpected'),
];

const patch = (target: string, body: object): Promise<unknown> =>
  cluster.client.send({ method: 'PATCH', path: target, body, contentType: 'application/merge-patch+json' });

/** Replaces the conditions of KubeAPIServer/cluster. */
const tell = (...conditions: readonly OperatorCondition[]): Promise<unknown> =>
  patch(`${operatorPath}/status`, { status: { conditions } });

/** Once the API server is ready to. */
const insist = (what: string, work: () => Promise<unknown>): Promise<unknown> =>
  waitFor(work, { what, timeoutMs: 20_000, intervalMs: 50, next: 'see the log of kube-apiserver' });

const clusterOperator = {
  apiVersion: 'config.openshift.io/v1',
  kind: 'ClusterOperator',
  metadata: { name: 'kube-apiserver' },
  spec: {},
};

const createClusterOperator = (): Promise<unknown> =>
  cluster.client.send({ method: 'POST', path: collection, body: clusterOperator });

/** Allows what OpenShift's definition of KubeAPIServer does not: `Unmanaged`. */
const allowUnmanaged = async (): Promise<void> => {
  const pattern = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/managementState/pattern';
  await cluster.client.send({
    method: 'PATCH',
    path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kubeapiservers.operator.openshift.io',
    body: [{ op: 'remove', path: pattern }],
    contentType: 'application/json-patch+json',
  });
};

const manage = (managementState: string): Promise<unknown> => patch(operatorPath, { spec: { managementState } });

const shown = async (): Promise<Partial<ClusterOperatorStatus>> =>
  (await cluster.client.send<{ status?: Partial<ClusterOperatorStatus> }>({ method: 'GET', path })).status ?? {};

/** Waits until a condition of the ClusterOperator is as wanted. */
const see = (type: string, wanted: Partial<OperatorCondition>): Promise<OperatorCondition> =>
  waitFor(
    async () => {
      const { conditions = [] } = await shown();
      const found = conditions.find((one) => one.type === type);
      const fits = Object.entries(wanted).every(([key, value]) => found?.[key as keyof OperatorCondition] === value);
      if (found !== undefined && fits) return found;
      throw new Error(JSON.stringify(conditions));
    },
    { what: `${type} ${JSON.stringify(wanted)}`, timeoutMs: 20_000, intervalMs: 50, next: 'see the conditions' },
  );

beforeAll(async () => {
  cluster = await startTestCluster();
  limited = await limitedClient(cluster);
  await expect(limited.send({ method: 'GET', path: '/api/v1/secrets' })).rejects.toMatchObject({ code: 403 });
});

afterAll(async () => {
  limited.close();
  await cluster.stop();
});

beforeEach(async () => {
  await manage('Managed');
  await tell(...healthy());
  following = follow();
  await see('Available', { status: 'True', message: 'StaticPodsAvailable: 1 nodes are active' });
  await see('Degraded', { status: 'False' });
});

afterEach(() => following.stop());

test('fills the object in, with the version of kube-apiserver', async () => {
  const { gitVersion } = await cluster.client.send<{ gitVersion: string }>({ method: 'GET', path: '/version' });
  const { conditions = [], versions, relatedObjects = [] } = await shown();
  expect(conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual([
    'Degraded False AsExpected',
    'Progressing False AsExpected',
    'Available True AsExpected',
    'Upgradeable Unknown NoData',
    'EvaluationConditionsDetected Unknown NoData',
  ]);
  const version = gitVersion.slice(1);
  expect(versions).toEqual([
    { name: 'operator', version },
    { name: 'kube-apiserver', version },
  ]);
  expect(relatedObjects).toContainEqual({
    group: 'operator.openshift.io',
    resource: 'kubeapiservers',
    name: 'cluster',
  });
});

test('is degraded once a cause has lasted, without being told again', async () => {
  const cause = condition('EncryptionKeyControllerDegraded', 'True', 'no AppRole secret', 'Error');
  await tell(cause, ...healthy().slice(1));
  const message = 'EncryptionKeyControllerDegraded: no AppRole secret';
  await see('Degraded', { message });
  const { lastTransitionTime } = await see('Degraded', {
    status: 'True',
    reason: 'EncryptionKeyController_Error',
    message,
  });
  expect(Date.parse(lastTransitionTime) - Date.parse(cause.lastTransitionTime)).toBeGreaterThanOrEqual(inertiaMs);
  await tell(...healthy());
  await see('Degraded', { status: 'False', reason: 'AsExpected', message: 'All is well' });
});

test('knows nothing while unmanaged', async () => {
  await expect(manage('Unmanaged')).rejects.toThrow('Managed|Force');
  await allowUnmanaged();
  await insist('the other definition', () => manage('Unmanaged'));
  for (const type of ['Degraded', 'Progressing', 'Available', 'Upgradeable', 'EvaluationConditionsDetected']) {
    const found = await see(type, { status: 'Unknown', reason: 'Unmanaged' });
    expect(found.message ?? '').toBe('');
  }
  await manage('Managed');
  await see('Available', { status: 'True', reason: 'AsExpected' });
});

test('a new loop keeps the times, and writes nothing that is there', async () => {
  const cause = condition('EncryptionKeyControllerDegraded', 'True', 'no AppRole secret', 'Error');
  await tell(cause, ...healthy().slice(1));
  await see('Degraded', { status: 'True' });
  const before = await shown();
  await following.stop();
  following = follow();
  await tell({ ...cause, message: 'no secret' }, ...healthy().slice(1));
  await see('Degraded', { status: 'True', message: 'EncryptionKeyControllerDegraded: no secret' });
  expect(following.writes()).toBe(1);
  const times = ({ conditions = [] }: Partial<ClusterOperatorStatus>) =>
    conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]);
  expect(times(await shown())).toEqual(times(before));
});

test('does not write for reports of health', async () => {
  const writes = following.writes();
  for (let i = 0; i < 10; i++) await tell(...healthy(), condition('KMSHealthReporter_node', 'True', `[${i}]`));
  await tell(...healthy().slice(0, 2), condition('StaticPodsAvailable', 'True', '7 nodes are active'));
  await see('Available', { message: 'StaticPodsAvailable: 7 nodes are active' });
  expect(following.writes()).toBe(writes + 1);
});

test('mends what others change, and fills a new object in without a word about the missing one', async () => {
  await patch(`${path}/status`, { status: { conditions: [condition('Available', 'False')], versions: [] } });
  await see('Available', { status: 'True' });
  await see('Degraded', { status: 'False' });
  expect((await shown()).versions).toHaveLength(2);
  await cluster.client.send({ method: 'DELETE', path });
  await tell(...healthy().slice(0, 2), condition('StaticPodsAvailable', 'True', '5 nodes are active'));
  await createClusterOperator();
  await see('Available', { message: 'StaticPodsAvailable: 5 nodes are active' });
  expect(following.warnings()).toEqual([]);
});

test('waits for a kind that is missing without a word', async () => {
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const definition = `${definitions}/clusteroperators.config.openshift.io`;
  const { metadata, spec } = await cluster.client.send<{
    metadata: { name: string; annotations: object };
    spec: object;
  }>({ method: 'GET', path: definition });
  await cluster.client.send({ method: 'DELETE', path: definition });
  const { name, annotations } = metadata;
  await insist('the definition', () =>
    cluster.client.send({ method: 'POST', path: definitions, body: { metadata: { name, annotations }, spec } }),
  );
  await insist('the object', createClusterOperator);
  await see('Available', { status: 'True' });
  expect(following.warnings()).toEqual([]);
});

test('goes on after the API server was away, and says so once a row of failures', async () => {
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('no node');
  await node.kill();
  await node.boot();
  const told = [...healthy().slice(0, 2), condition('StaticPodsAvailable', 'True', '2 nodes are active')];
  await insist('conditions', () => tell(...told));
  await see('Available', { message: 'StaticPodsAvailable: 2 nodes are active' });
  // One for each of the two collections that are watched.
  expect(following.warnings().length).toBeLessThanOrEqual(2);
});

test('is available by what the operator itself says', async () => {
  await tell(condition('Encrypted', 'False'));
  await see('Available', { status: 'Unknown', reason: 'NoData' });
  const operator = startOperator(cluster);
  try {
    await see('Available', { status: 'True', message: 'StaticPodsAvailable: 1 nodes are active' });
    await see('Degraded', { status: 'False', message: 'All is well' });
  } finally {
    await operator.stop();
  }
});
