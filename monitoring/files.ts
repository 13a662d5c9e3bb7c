import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const monitoringDir = import.meta.dirname;
export const rulesFile = join(monitoringDir, 'kms-health.rules.yaml');
export const ruleTestsFile = join(monitoringDir, 'kms-health.rules.test.yaml');
export const configFile = join(monitoringDir, 'prometheus.yaml');
export const dashboardFile = join(monitoringDir, 'kms-health.dashboard.json');

const rules = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          for: z.string(),
          labels: z.record(z.string(), z.string()),
          annotations: z.record(z.string(), z.string()),
        }),
      ),
    }),
  ),
});

const ruleTests = z.object({
  tests: z.array(
    z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) }),
  ),
});

const config = z.object({
  scrape_configs: z.array(
    z.looseObject({
      job_name: z.string(),
      kubernetes_sd_configs: z.array(z.looseObject({ role: z.string() })),
      relabel_configs: z.array(z.looseObject({ target_label: z.string().optional() })),
    }),
  ),
});

const datasource = z.object({ type: z.string(), uid: z.string() });

const panel = z.object({
  type: z.string(),
  id: z.number(),
  title: z.string(),
  description: z.string().optional(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  datasource: datasource.optional(),
  targets: z.array(z.object({ datasource, expr: z.string(), refId: z.string(), legendFormat: z.string() })).default([]),
  fieldConfig: z.object({ defaults: z.object({ unit: z.string() }) }).optional(),
  options: z.object({ legend: z.object({ showLegend: z.boolean() }).optional() }).optional(),
});

const dashboard = z.object({
  uid: z.string(),
  schemaVersion: z.number(),
  annotations: z.object({ list: z.array(z.object({ expr: z.string().optional() })) }),
  templating: z.object({
    list: z.array(z.object({ type: z.string(), name: z.string(), definition: z.string().optional() })),
  }),
  panels: z.array(panel),
});

export type Rule = z.infer<typeof rules>['groups'][number]['rules'][number];
export type Panel = z.infer<typeof panel>;
export type Dashboard = z.infer<typeof dashboard>;
export type PrometheusConfig = z.infer<typeof config>;

export const readRules = async (): Promise<readonly Rule[]> =>
  rules.parse(parse(await readFile(rulesFile, 'utf8'))).groups.flatMap((group) => group.rules);

export const readRuleTests = async () =>
  ruleTests.parse(parse(await readFile(ruleTestsFile, 'utf8'))).tests.flatMap((one) => one.alert_rule_test);

export const readConfig = async (): Promise<PrometheusConfig> =>
  config.parse(parse(await readFile(configFile, 'utf8')));

export const readDashboard = async (): Promise<Dashboard> =>
  dashboard.parse(JSON.parse(await readFile(dashboardFile, 'utf8')));

/** Every PromQL expression of a dashboard, with Grafana's variables replaced by what they may stand for. */
export const dashboardExpressions = ({ panels, annotations }: Dashboard): readonly string[] =>
  [
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...annotations.list.flatMap(({ expr }) => expr ?? []),
  ].map((expr) => expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*'));
