import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { waitFor } from '../../common/waitFor.ts';
import { readConfig, rulesFile } from '../../monitoring/files.ts';
import { createMetrics } from '../../plugin/metrics.ts';
import { serveLocally, servePods, type TestPod, type TestServer } from './monitoringPods.ts';
import { ensurePrometheus } from './monitoringTools.ts';

const reporterText = `# TYPE kms_health_reporter_plugin_healthy gauge
kms_health_reporter_plugin_healthy{key="1"} 1
# TYPE kms_health_reporter_writes_total counter
kms_health_reporter_writes_total{result="delivered"} 7
`;
const operatorText = `# TYPE kms_plugins_degraded gauge
kms_plugins_degraded{target="kube-apiserver",status="True"} 1
# TYPE kms_plugin_health gauge
kms_plugin_health{target="kube-apiserver",node="cp-1",key="1",status="healthy"} 1
kms_plugin_health{target="kube-apiserver",node="cp-2",key="1",status="error"} 1
# TYPE kms_health_report_age_seconds gauge
kms_health_report_age_seconds{target="kube-apiserver",node="cp-1"} 12
kms_health_report_age_seconds{target="kube-apiserver",node="cp-2"} 12
`;

const labels = z.record(z.string(), z.string());
const alertList = z.object({ data: z.object({ alerts: z.array(z.object({ labels, state: z.string() })) }) });
const queryResult = z.object({ data: z.object({ result: z.array(z.object({ metric: labels })) }) });

let dir: string;
let prometheus: ChildProcess | undefined;
let url = '';
const servers: TestServer[] = [];

const serveText = async (render: () => Promise<string>): Promise<number> => {
  const server = await serveLocally(
    createServer(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(await render());
    }),
  );
  servers.push(server);
  return server.port;
};

/** The pods of a cluster with one control-plane node, and some that are to be left alone. */
const pods = async (): Promise<readonly TestPod[]> => {
  const plugin = createMetrics(() => new Map([[1, 'kek-1']]));
  plugin.onCall({ key: 1, method: 'Encrypt', uid: 'uid', seconds: 0.0001, error: undefined });
  const metrics = await serveText(plugin.render);
  const health = await serveText(async () => reporterText);
  const operator = await serveText(async () => operatorText);
  const at = (namespace: string, name: string, ports: TestPod['ports'], phase: TestPod['phase'] = 'Running') => {
    return { namespace, name, node: 'cp-1', phase, ports };
  };
  return [
    at('openshift-kms-plugin', 'kms-plugin-x', { metrics, 'health-metrics': health }),
    at('openshift-kube-apiserver-operator', 'operator-x', { metrics: operator }),
    at('openshift-kube-apiserver-operator', 'installer-x', { other: operator }),
    at('openshift-kube-apiserver-operator', 'operator-ended', { metrics: operator }, 'Succeeded'),
    at('elsewhere', 'other-x', { metrics: operator }),
  ];
};

/** The example with an API server of the test's own, and its rules, without their patience. */
const writeConfiguration = async (apiServer: string): Promise<string> => {
  const rules = parse(await readFile(rulesFile, 'utf8'), (key, value: unknown) => (key === 'for' ? '0s' : value));
  await writeFile(join(dir, 'rules.yaml'), stringify(rules));
  const config = await readConfig();
  const path = join(dir, 'prometheus.yaml');
  const scrape_configs = config.scrape_configs.map((job) => ({
    ...job,
    kubernetes_sd_configs: job.kubernetes_sd_configs.map((one) => ({ ...one, api_server: apiServer })),
  }));
  const global = { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' };
  await writeFile(path, stringify({ ...config, global, rule_files: ['rules.yaml'], scrape_configs }));
  return path;
};

/** Resolves with its address. */
const start = (program: string, config: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ];
    const child = spawn(program, args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
    prometheus = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
      const [, port] = /Listening on.*address=127\.0\.0\.1:([1-9]\d*)/.exec(said) ?? [];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`it ended: ${said}`)));
  });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const programs = await ensurePrometheus();
  const api = await servePods(await pods());
  servers.push(api);
  url = await start(programs.prometheus, await writeConfiguration(api.url));
}, 30 * 60_000);

afterAll(async () => {
  const child = prometheus;
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  for (const server of servers) server.close();
  await rm(dir, { recursive: true, force: true });
});

const get = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json();
const query = async (expression: string) =>
  queryResult.parse(await get(`/api/v1/query?query=${encodeURIComponent(expression)}`)).data.result;

test('a real Prometheus finds the pods by the example, and raises alerts by the rules', async () => {
  const next = 'see what Prometheus says';
  const found = await waitFor(
    async () => {
      const { alerts } = alertList.parse(await get('/api/v1/alerts')).data;
      const targets = await query('up == 1');
      return targets.length === 3 && alerts.some(({ labels }) => labels.alertname === 'KMSPluginUnhealthy')
        ? alerts
        : undefined;
    },
    { what: 'three targets and the alert KMSPluginUnhealthy', timeoutMs: 60_000, next },
  );
  const own = ['kms-plugin', 'kms-health-reporter', 'kms-operator'];
  expect((await query('up')).map(({ metric }) => metric.job).toSorted()).toEqual(own.toSorted());

  const unhealthy = found.find(({ labels }) => labels.alertname === 'KMSPluginUnhealthy');
  expect(unhealthy).toEqual({
    state: 'firing',
    labels: { alertname: 'KMSPluginUnhealthy', severity: 'warning', node: 'cp-2', key: '1' },
  });
});

test('once all is scraped, nothing fires but what the operator says', async () => {
  const firing = await waitFor(
    async () => {
      const { alerts } = alertList.parse(await get('/api/v1/alerts')).data;
      const names = new Set(alerts.map(({ labels }) => labels.alertname));
      // They were right while nothing had been scraped yet.
      return names.has('KMSHealthReporterDown') || names.has('KMSHealthOperatorDown') ? undefined : names;
    },
    { what: 'no alert of a target that is down', timeoutMs: 60_000, next: 'see what Prometheus says' },
  );
  expect([...firing].toSorted()).toEqual(['KMSPluginUnhealthy', 'KMSPluginsDegraded'].toSorted());
});

test("no label of a target pushes a metric's own aside", async () => {
  const series = await query('{__name__=~"kms_.+"}');
  expect(series.length).toBeGreaterThan(10);
  for (const { metric } of series)
    expect(Object.keys(metric).filter((label) => label.startsWith('exported_'))).toEqual([]);
  const nodesOf = async (name: string) => (await query(name)).map(({ metric }) => metric.node).toSorted();
  expect(await nodesOf('kms_plugin_health')).toEqual(['cp-1', 'cp-2']);
  expect(await nodesOf('kms_health_reporter_plugin_healthy')).toEqual(['cp-1']);
  expect(await nodesOf('kms_plugin_write_key_info')).toEqual(['cp-1']);
});
