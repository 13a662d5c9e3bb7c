import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectDir } from '../common/paths.ts';
import { knownMetrics, type Metrics, metricsByJob, promisedMetrics, targetLabels } from './contract.ts';
import { dashboardExpressions, type Panel, readConfig, readDashboard, readRules, readRuleTests } from './files.ts';
import { promqlNames } from './promqlNames.ts';

/** What an expression asks for that nobody gives. */
const unknownNames = (expression: string, known: Metrics): readonly string[] => {
  const { metrics, matchers, groupedBy } = promqlNames(expression);
  const labels = new Set(metrics.flatMap((metric) => known.get(metric) ?? []));
  return [
    ...metrics.filter((metric) => !known.has(metric)),
    ...matchers.filter(({ metric, label }) => !known.get(metric)?.includes(label)).map((one) => JSON.stringify(one)),
    ...groupedBy.filter((label) => label !== 'le' && !labels.has(label)).map((label) => `grouped by ${label}`),
  ];
};

const known = knownMetrics(await readConfig());

test('the contract is read: a metric of each part, with its labels', async () => {
  const metrics = await known;
  const reporter = ['node', 'namespace', 'pod', 'job', 'instance'];
  const operator = ['namespace', 'pod', 'job', 'instance'];
  const sorted = (name: string) => metrics.get(name)?.toSorted();
  expect(sorted('kms_plugin_calls_total')).toEqual(['key', 'method', 'code', ...reporter].toSorted());
  expect(sorted('kms_health_reporter_probe_duration_seconds_bucket')).toEqual(['key', 'le', ...reporter].toSorted());
  expect(sorted('kms_health_reporter_last_delivery_timestamp_seconds')).toEqual(reporter.toSorted());
  expect(sorted('kms_plugin_health')).toEqual(['target', 'node', 'key', 'status', ...operator].toSorted());
  expect(promisedMetrics('## Metrics\n\nnone\n', 'Reporter').size).toBe(0);
});

test('rules ask for nothing but metrics and labels that there are', async () => {
  const metrics = await known;
  for (const { alert, expr } of await readRules())
    expect({ alert, unknown: unknownNames(expr, metrics) }).toEqual({ alert, unknown: [] });
  expect(unknownNames('kms_keks{nodes="a"} and on (kek) kms_nothing', metrics)).toHaveLength(3);
});

test('so do panels, their legends and variables', async () => {
  const metrics = await known;
  const dashboard = await readDashboard();
  for (const expr of dashboardExpressions(dashboard))
    expect({ expr, unknown: unknownNames(expr, metrics) }).toEqual({ expr, unknown: [] });
  for (const { expr, legendFormat } of dashboard.panels.flatMap(({ targets }) => targets)) {
    const { groupedBy } = promqlNames(expr);
    const used = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    expect(groupedBy, expr).toEqual(expect.arrayContaining(used));
  }
  const queries = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
  expect(queries).toHaveLength(2);
  for (const query of queries) {
    const [, names = '', label = ''] = /^label_values\(\{__name__=~"([\w|]+)"\}, (\w+)\)$/.exec(query) ?? [];
    for (const name of names.split('|')) expect(metrics.get(name), `${query}: ${name}`).toContain(label);
  }
});

test('states that are matched are those of docs/health.md', async () => {
  const doc = await readFile(join(projectDir, 'docs', 'health.md'), 'utf8');
  const expressions = [...(await readRules()).map(({ expr }) => expr), ...dashboardExpressions(await readDashboard())];
  const values = expressions
    .flatMap((expr) => promqlNames(expr).matchers)
    .filter(({ label }) => label === 'status' || label === 'result')
    .flatMap(({ value }) => value.split('|'));
  expect(values).toEqual(expect.arrayContaining(['True', 'Unknown', 'error', 'unknown', 'dropped']));
  for (const value of values) expect(doc).toMatch(new RegExp(`\\b${value}\\b`));
});

test('jobs are those of the example, and no target has a label that its metrics have', async () => {
  const { scrape_configs: jobs } = await readConfig();
  const names = jobs.map(({ job_name }) => job_name);
  const asked = (await readRules()).flatMap(({ expr }) =>
    promqlNames(expr).matchers.filter(({ label }) => label === 'job'),
  );
  expect(names).toEqual(expect.arrayContaining(asked.map(({ value }) => value)));
  const byJob = await metricsByJob();
  expect([...byJob.keys()]).toEqual(names);
  for (const job of jobs) {
    const own = [...(byJob.get(job.job_name)?.values() ?? [])].flat();
    expect(own.filter((label) => targetLabels(job).includes(label))).toEqual([]);
  }
});

test('each alert says what is wrong and what to do, is documented, and is tested firing and not', async () => {
  const rules = await readRules();
  const tests = await readRuleTests();
  const doc = await readFile(join(projectDir, 'docs', 'monitoring.md'), 'utf8');
  for (const { alert, labels, annotations } of rules) {
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(Object.keys(annotations)).toEqual(['summary', 'description', 'next']);
    expect(annotations.next, alert).toMatch(/^understudy (status|logs|fault list|kubectl)\b/);
    const row = `\\| \`${alert}\` \\| ${labels.severity} \\|`;
    expect(doc).toMatch(new RegExp(row));
    const own = tests.filter(({ alertname }) => alertname === alert);
    expect(
      own.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} fires in a test`,
    ).toBe(true);
    expect(
      own.some(({ exp_alerts }) => exp_alerts.length === 0),
      `${alert} keeps quiet in a test`,
    ).toBe(true);
  }
  const documented = [...doc.matchAll(/^\| `(KMS\w+)` \| (?:warning|critical) \|/gm)].map(([, name]) => name);
  expect(documented.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});

const overlap = (a: Panel['gridPos'], b: Panel['gridPos']): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

test('panels have an id, a place, a unit, a legend and an explanation of their own', async () => {
  const { panels, schemaVersion } = await readDashboard();
  expect(schemaVersion).toBe(42);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const [index, panel] of panels.entries()) {
    expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
    for (const other of panels.slice(index + 1)) expect(overlap(panel.gridPos, other.gridPos), other.title).toBe(false);
    if (panel.type === 'row') continue;
    expect(panel.description, panel.title).toBeTruthy();
    expect(panel.fieldConfig?.defaults.unit, panel.title).toBeTruthy();
    expect(panel.targets.length, panel.title).toBeGreaterThan(0);
    if (panel.type === 'timeseries') expect(panel.options?.legend?.showLegend, panel.title).toBe(true);
    for (const { datasource, legendFormat } of panel.targets) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable.
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
      expect(legendFormat).not.toBe('');
    }
  }
});
