import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../common/log.ts';
import { runHealthLoop } from '../../operator/health/healthLoop.ts';
import { createHealthMetrics, type HealthMetrics } from '../../operator/health/metrics.ts';
import type { OperatorCondition } from '../../operator/observation.ts';
import { startTestCluster, type TestCluster } from './operatorCluster.ts';
import {
  createAccount,
  type ReporterRun,
  type RunningReporter,
  readOperand,
  reportOf,
  type StandInPlugin,
  see,
  seeReport,
  startPlugin,
  startReporter,
} from './reporterRun.ts';

/** Long beside the reporters' tenth of a second, so that a busy machine makes nobody stale. */
const intervalMs = 500;
const names = ['control-plane', 'control-plane2', 'control-plane3'];

let cluster: TestCluster;
let plugin: StandInPlugin;
let metrics: HealthMetrics;
let stopLoop: () => Promise<void>;
const running: RunningReporter[] = [];

const start = async (nodeName: string, run: Partial<ReporterRun> = {}): Promise<RunningReporter> => {
  const reporter = await startReporter(cluster, { dir: plugin.dir, nodeName, ...run });
  running.push(reporter);
  return reporter;
};

const startLoop = (): (() => Promise<void>) => {
  const controller = new AbortController();
  metrics = createHealthMetrics(intervalMs, () => performance.now());
  const loop = runHealthLoop({
    client: cluster.client,
    intervalMs,
    looked: metrics.looked,
    log: createLog(process.env.LOG_LEVEL ?? 'silent'),
    signal: controller.signal,
  });
  return async () => {
    controller.abort();
    await loop;
  };
};

const createNode = (name: string): Promise<unknown> =>
  cluster.client.send({
    method: 'POST',
    path: '/api/v1/nodes',
    body: { metadata: { name, labels: { 'node-role.kubernetes.io/control-plane': '' } } },
  });

/** What the installers would tell of the keys that are in use. */
const tellKeys = (keys: object | null): Promise<unknown> =>
  cluster.client.send({
    method: 'PATCH',
    path: '/apis/understudy.dev/v1alpha1/kmsbackends/cluster/status',
    body: { status: { nodes: Object.fromEntries(names.map((name) => [name, { observedGeneration: 1, keys }])) } },
    contentType: 'application/merge-patch+json',
  });

beforeEach(async () => {
  cluster = await startTestCluster();
  plugin = await startPlugin();
  await createAccount(cluster);
  for (const name of names.slice(1)) await createNode(name);
  await tellKeys({ '1': { version: 1, keyID: 'kek-1' } });
  stopLoop = startLoop();
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((reporter) => reporter.stop()));
  await stopLoop();
  await plugin.remove();
  await cluster.stop();
});

const degraded = async (): Promise<OperatorCondition | undefined> =>
  (await readOperand(cluster)).status?.conditions?.find(({ type }) => type === 'KMSPluginsDegraded');

const seeDegraded = (
  status: OperatorCondition['status'],
  reason: string,
  message: string,
): Promise<OperatorCondition> =>
  see(`KMSPluginsDegraded=${status} (${reason}): ${message}`, async () => {
    const found = await degraded();
    if (found?.status === status && found.reason === reason && found.message?.includes(message)) return found;
    throw new Error(JSON.stringify(found));
  });

const seeNone = (what: string, probe: () => Promise<unknown>): Promise<true> =>
  see(`no ${what}`, async () => ((await probe()) === undefined ? true : undefined));

const series = async (name: string): Promise<readonly string[]> =>
  (await metrics.render()).split('\n').filter((line) => line.startsWith(`${name}{`));

test('from what reporters say to what administrators read, and back', async () => {
  await seeDegraded(
    'False',
    'AsExpected',
    'node control-plane: not observed yet\nnode control-plane2: not observed yet',
  );
  const [first, second, third] = await Promise.all(names.map((name) => start(name)));
  if (first === undefined || second === undefined || third === undefined) throw new Error('three reporters');
  await seeDegraded('False', 'AsExpected', 'All KMS plugins are healthy: key 1 on 3 nodes');
  expect(await series('kms_plugins_degraded')).toEqual([
    'kms_plugins_degraded{target="kubeapiservers",status="False"} 1',
  ]);

  plugin.answer({ healthz: 'credential lacks decrypt permission' });
  const cause = 'key 1: unhealthy: credential lacks decrypt permission';
  const message = `node control-plane2, ${cause}`;
  const found = await seeDegraded('True', 'PluginUnhealthy', message);
  expect(await series('kms_plugin_health')).toContain(
    'kms_plugin_health{target="kubeapiservers",node="control-plane2",key="1",status="unhealthy"} 1',
  );
  const event = await see('an event', async () => {
    const path = '/api/v1/namespaces/openshift-kube-apiserver-operator/events';
    const { items } = await cluster.client.send<{ items: readonly { reason: string; message: string }[] }>({
      method: 'GET',
      path,
    });
    return items.find((event) => event.reason === 'KMSPluginsDegraded' && event.message.includes(cause));
  });
  // It was written at the first node's report; others followed.
  expect(event.message).toMatch(/^node control-plane[23]?, key 1: /);
  plugin.answer();
  const well = await seeDegraded('False', 'AsExpected', 'All KMS plugins are healthy');
  expect(Date.parse(well.lastTransitionTime)).toBeGreaterThanOrEqual(Date.parse(found.lastTransitionTime));

  await second.stop();
  await seeDegraded('Unknown', 'ReporterStale', 'node control-plane2: its reporter has told nothing new since ');
  expect(await series('kms_plugin_health')).toContain(
    'kms_plugin_health{target="kubeapiservers",node="control-plane2",key="1",status="unknown"} 1',
  );

  await cluster.client.send({ method: 'DELETE', path: '/api/v1/nodes/control-plane2' });
  await seeNone('report of the node that left', () => reportOf(cluster, 'control-plane2'));
  await seeDegraded('False', 'AsExpected', 'All KMS plugins are healthy: key 1 on 2 nodes');

  // The first reporter takes back its own; the third one has died.
  await third.stop();
  await tellKeys(null);
  await seeNone('roll-up', degraded);
  await seeNone('report of a dead reporter', () => reportOf(cluster, 'control-plane3'));
});

test('a node with another KEK is told, and is a failure once it lasts', async () => {
  const other = await startPlugin();
  try {
    await Promise.all([start('control-plane'), start('control-plane2'), start('control-plane3', { dir: other.dir })]);
    await seeDegraded('False', 'AsExpected', 'key 1 on 3 nodes');
    other.answer({ keyId: 'kek-9' });
    const differ = 'key 1: nodes have different KEKs: kek-1 on control-plane, control-plane2; kek-9 on control-plane3';
    await seeDegraded('True', 'KEKsDiffer', differ);
    expect(await series('kms_keks')).toEqual(['kms_keks{target="kubeapiservers",key="1"} 2']);
    other.answer();
    await seeDegraded('False', 'AsExpected', 'All KMS plugins are healthy');
  } finally {
    await Promise.all(running.splice(0).map((reporter) => reporter.stop()));
    await other.remove();
  }
});

test('typed reports are rolled up and tidied up as well', async () => {
  const [first, second] = await Promise.all([
    start('control-plane', { reportTo: 'health-reports' }),
    start('control-plane2', { reportTo: 'health-reports', keys: ['2'] }),
  ]);
  await seeDegraded('True', 'PluginError', 'node control-plane2, key 2: error: UNAVAILABLE');
  await second?.stop();
  await cluster.client.send({ method: 'DELETE', path: '/api/v1/nodes/control-plane2' });
  await seeDegraded('False', 'AsExpected', 'All KMS plugins are healthy: key 1 on 1 node');
  const typed = async () => (await readOperand(cluster)).status?.encryptionStatus?.healthReports;
  await see('only the other node', async () => ((await typed())?.length === 1 ? true : undefined));
  await first?.stop();
  await tellKeys(null);
  await seeNone('typed report', typed);
});

test('the next operator goes on from what is there; what is said meanwhile by others is put right', async () => {
  await start('control-plane', { keys: ['2'] });
  const before = await seeDegraded('True', 'PluginError', 'key 2: error');
  await stopLoop();
  stopLoop = startLoop();
  await seeReport(cluster, 'control-plane');
  const { path, body } = {
    path: '/apis/operator.openshift.io/v1/kubeapiservers/cluster/status',
    body: [{ ...before, status: 'False', reason: 'Meddled', message: '' }],
  };
  await cluster.client.apply(path, 'meddler', {
    apiVersion: 'operator.openshift.io/v1',
    kind: 'KubeAPIServer',
    metadata: { name: 'cluster' },
    status: { conditions: body },
  });
  await seeDegraded('True', 'PluginError', 'key 2: error');
});
