import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type PluginHealth, parseReports } from '../../common/kmsHealth.ts';
import { statusPath, type Target, targetNames } from '../../common/kmsHealthTarget.ts';
import { type KubeAccess, kubeClient } from '../../common/kubeClient.ts';
import { createLog } from '../../common/log.ts';
import { waitFor } from '../../common/waitFor.ts';
import { reporterRules } from '../../infra/healthReporterRules.ts';
import type { OperatorCondition } from '../../operator/observation.ts';
import { createGrpcServer, type GrpcServer } from '../../plugin/grpc/server.ts';
import { encodeStatusResponse } from '../../protos/kms/v2/messages.ts';
import { createDelivery, type DeliveryOptions } from '../../reporter/delivery.ts';
import { createProber } from '../../reporter/prober.ts';
import { runReporter } from '../../reporter/reporter.ts';
import { fixedSockets } from '../../reporter/socketSource.ts';
import { startTestCluster, type TestCluster } from './operatorCluster.ts';

const account = 'kms-health-reporter';
const namespace = 'openshift-kube-apiserver';
const accountPath = `/api/v1/namespaces/${namespace}/serviceaccounts`;

let cluster: TestCluster;
let dir: string;
let plugin: GrpcServer;
let status = { version: 'v2', healthz: 'ok', keyId: 'kek-1' };
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  cluster = await startTestCluster();
  dir = await mkdtemp(join(tmpdir(), 'reporter-'));
  plugin = createGrpcServer({
    methods: new Map([['/v2.KeyManagementService/Status', () => encodeStatusResponse(status)]]),
    timeoutMs: 60_000,
    maxMessageLength: 10_000,
    onConnectionError: () => {},
  });
  await new Promise<void>((resolve) => plugin.listener.listen(join(dir, 'kms-1.sock'), resolve));
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const create = (path: string, body: object) => cluster.client.send({ method: 'POST', path, body });
  await create(accountPath, { metadata: { name: account } });
  await create(`${rbac}/clusterroles`, { metadata: { name: account }, rules: reporterRules });
  await create(`${rbac}/clusterrolebindings`, {
    metadata: { name: account },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: account },
    subjects: [{ kind: 'ServiceAccount', namespace, name: account }],
  });
});

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

afterAll(async () => {
  await plugin.drain(0);
  await cluster.stop();
  await rm(dir, { recursive: true });
});

beforeEach(() => {
  status = { version: 'v2', healthz: 'ok', keyId: 'kek-1' };
});

/** An access with a token of the reporters' account. */
const accessOf = async (): Promise<KubeAccess & { readonly token: string }> => {
  const { status: issued } = await cluster.client.send<{ readonly status: { readonly token: string } }>({
    method: 'POST',
    path: `${accountPath}/${account}/token`,
    body: { spec: {} },
  });
  const ca = Buffer.from(cluster.config.getCurrentCluster()?.caData ?? '', 'base64');
  const credentials = { ca, headers: { authorization: `Bearer ${issued.token}` } };
  return { server: cluster.client.server, token: issued.token, credentials: () => Promise.resolve(credentials) };
};

interface Started {
  readonly node: string;
  stop(): Promise<void>;
}

const start = async (options: Partial<DeliveryOptions> = {}, keys: readonly string[] = ['1']): Promise<Started> => {
  const access = await accessOf();
  const controller = new AbortController();
  const node = options.nodeName ?? `node-${randomUUID().slice(0, 8)}`;
  const running = runReporter({
    source: fixedSockets(keys.map((keyID) => ({ keyID, path: join(dir, `kms-${keyID}.sock`) }))),
    prober: createProber(500, () => new Date()),
    delivery: createDelivery({
      nodeName: node,
      target: 'kubeapiservers',
      reportTo: 'conditions',
      conditionStatus: 'fixed',
      writeTimeoutMs: 2_000,
      access: async () => ({ server: access.server, credentials: await access.credentials() }),
      now: () => new Date(),
      ...options,
    }),
    intervalMs: 100,
    random: Math.random,
    events: { probed: () => {}, delivered: () => {}, dropped: () => {} },
    log: createLog(process.env.LOG_LEVEL ?? 'silent'),
    signal: controller.signal,
  });
  const stop = async (): Promise<void> => {
    controller.abort();
    await running;
  };
  stops.push(stop);
  return { node, stop };
};

interface Operand {
  readonly metadata: {
    readonly managedFields: readonly {
      readonly manager: string;
      readonly operation: string;
      readonly subresource?: string;
    }[];
  };
  readonly status?: {
    readonly conditions?: readonly OperatorCondition[];
    readonly encryptionStatus?: { readonly healthReports?: readonly Readonly<Record<string, unknown>>[] };
    readonly oauthAPIServer?: Operand['status'];
  };
}

const read = (target: Target = 'kubeapiservers'): Promise<Operand> =>
  cluster.client.send({ method: 'GET', path: statusPath(target).replace(/\/status$/, '') });

const conditionOf = async (node: string, target: Target = 'kubeapiservers'): Promise<OperatorCondition | undefined> =>
  (await read(target)).status?.conditions?.find(({ type }) => type === `KMSHealthReporter_${node}`);

const see = <T>(what: string, probe: () => Promise<T | undefined>): Promise<T> =>
  waitFor(probe, { what, timeoutMs: 10_000, intervalMs: 20, next: 'see the log (LOG_LEVEL=debug)' });

const seeReport = (node: string, wanted: (reports: readonly PluginHealth[]) => boolean, target?: Target) =>
  see(`the report of ${node}`, async () => {
    const condition = await conditionOf(node, target);
    const reports = parseReports(condition?.message);
    return condition && reports && wanted(reports) ? { condition, reports } : undefined;
  });

test('a condition a tick, by a field manager of its own', async () => {
  const { node } = await start();
  const { condition, reports } = await seeReport(node, () => true);
  expect(condition).toMatchObject({ status: 'True', reason: 'AsExpected' });
  expect(reports).toEqual([{ keyID: '1', kekID: 'kek-1', status: 'healthy', lastChecked: expect.any(String) }]);
  status = { ...status, healthz: 'sealed', keyId: 'kek-2' };
  const later = await seeReport(node, ([report]) => report?.status === 'unhealthy');
  expect(later.reports).toMatchObject([{ kekID: 'kek-2', detail: 'sealed' }]);
  expect(later.condition.lastTransitionTime).toBe(condition.lastTransitionTime);
  const { managedFields } = (await read()).metadata;
  expect(managedFields.filter(({ manager }) => manager === `kms-health-reporter-${node}`)).toMatchObject([
    { operation: 'Apply', subresource: 'status' },
  ]);
});

test('derived: the time of a status is kept while it stays, also by the next process, and new with another one', async () => {
  const nodeName = 'derived-node';
  const { stop } = await start({ nodeName, conditionStatus: 'derived', now: () => new Date('2026-11-26T10:00:00Z') });
  await seeReport(nodeName, () => true);
  await stop();
  await start({ nodeName, conditionStatus: 'derived', now: () => new Date('2026-11-26T11:00:00Z') });
  const before = await conditionOf(nodeName);
  const same = await seeReport(nodeName, () => true);
  expect(before?.lastTransitionTime).toBe('2026-11-26T10:00:00Z');
  expect(same.condition).toMatchObject({ status: 'True', lastTransitionTime: '2026-11-26T10:00:00Z' });
  status = { ...status, healthz: 'sealed' };
  const { condition } = await seeReport(nodeName, ([report]) => report?.status === 'unhealthy');
  expect(condition).toMatchObject({ status: 'False', reason: 'Unhealthy', lastTransitionTime: '2026-11-26T11:00:00Z' });
});

test.each(targetNames)('reports to %s, in a condition or typed', async (target) => {
  await cluster.client
    .send({
      method: 'POST',
      path: `/apis/rbac.authorization.k8s.io/v1/clusterroles`,
      body: {
        metadata: { name: `${account}-${target}` },
        rules: [{ ...reporterRules[0], resources: [`${target}/status`] }],
      },
    })
    .then(() =>
      cluster.client.send({
        method: 'POST',
        path: `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings`,
        body: {
          metadata: { name: `${account}-${target}` },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `${account}-${target}` },
          subjects: [{ kind: 'ServiceAccount', namespace, name: account }],
        },
      }),
    );
  const kind = {
    kubeapiservers: 'KubeAPIServer',
    openshiftapiservers: 'OpenShiftAPIServer',
    authentications: 'Authentication',
  };
  if (target !== 'kubeapiservers') {
    await cluster.client.send({
      method: 'POST',
      path: `/apis/operator.openshift.io/v1/${target}`,
      body: {
        apiVersion: 'operator.openshift.io/v1',
        kind: kind[target],
        metadata: { name: 'cluster' },
        spec: { managementState: 'Managed' },
      },
    });
  }
  const { node, stop } = await start({ target });
  await seeReport(node, ([report]) => report?.status === 'healthy', target);
  await stop();
  // The same node goes over to typed reports, of which one plugin has never answered.
  await start({ target, nodeName: node, reportTo: 'health-reports' }, ['1', '2']);
  const reports = await see('typed reports', async () => {
    const { encryptionStatus, oauthAPIServer } = (await read(target)).status ?? {};
    const found = (encryptionStatus ?? oauthAPIServer?.encryptionStatus)?.healthReports ?? [];
    const own = found.filter(({ nodeName }) => nodeName === node);
    return own.length === 2 ? own : undefined;
  });
  expect(reports).toMatchObject([
    { keyID: '1', remoteKeyID: 'kek-1', status: 'Healthy' },
    { keyID: '2', remoteKeyID: 'unknown', status: 'Error', detail: expect.stringContaining('ENOENT') },
  ]);
  expect(await conditionOf(node, target)).toBeUndefined();
});

test('texts of a megabyte, and what is no text, are taken by the API server', async () => {
  status = { version: 'v2', healthz: '\u0000\u001b😀"\\'.repeat(150_000), keyId: 'k'.repeat(1_000_000) };
  const [plain, typed] = await Promise.all([start(), start({ reportTo: 'health-reports' })]);
  const { reports } = await seeReport(plain.node, ([report]) => report?.status === 'unhealthy');
  expect([...(reports[0]?.detail ?? '')]).toHaveLength(1_024);
  const found = await see('the typed report', async () =>
    (await read()).status?.encryptionStatus?.healthReports?.find(({ nodeName }) => nodeName === typed.node),
  );
  expect(found).toMatchObject({ status: 'Unhealthy', remoteKeyID: 'unknown' });
});

test('the account may do that, and nothing else', async () => {
  const client = kubeClient(await accessOf());
  const refused = async (method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: object) => {
    const contentType = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {};
    const asked = client.send({ method, path, ...(body && { body }), ...contentType });
    await expect(asked, `${method} ${path}`).rejects.toMatchObject({ code: 403 });
  };
  const operand = '/apis/operator.openshift.io/v1/kubeapiservers';
  await client.send({ method: 'GET', path: `${operand}/cluster/status` });
  await refused('GET', operand);
  await refused('GET', `${operand}/cluster`);
  await refused('PATCH', `${operand}/cluster`, { spec: { managementState: 'Unmanaged' } });
  await refused('PUT', `${operand}/cluster/status`, await read());
  await refused('DELETE', `${operand}/cluster`);
  await refused('GET', `${operand}/other/status`);
  await refused('GET', '/apis/operator.openshift.io/v1/authentications/cluster');
  await refused('GET', '/apis/config.openshift.io/v1/apiservers/cluster');
  await refused('PATCH', '/apis/config.openshift.io/v1/apiservers/cluster', { spec: { encryption: null } });
  await refused('GET', '/apis/understudy.dev/v1alpha1/kmsbackends/cluster');
  await refused('GET', '/api/v1/secrets');
  await refused('GET', `/api/v1/namespaces/${namespace}/secrets/kms-health-reporter-token`);
  await refused('GET', '/api/v1/nodes');
  await refused('POST', `${accountPath}/${account}/token`, { spec: {} });
  await refused('GET', '/metrics');
  // The status subresource takes no more than status.
  await client.apply(`${operand}/cluster/status`, 'kms-health-reporter-x', {
    apiVersion: 'operator.openshift.io/v1',
    kind: 'KubeAPIServer',
    metadata: { name: 'cluster' },
    spec: { managementState: 'Removed' },
    status: {},
  });
  expect(await read()).toMatchObject({ spec: { managementState: 'Managed' } });
  client.close();
});
