import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectDir } from '../common/paths.ts';
import { createMetrics } from '../plugin/metrics.ts';
import type { PrometheusConfig } from './files.ts';

/** Labels by the name of a metric. */
export type Metrics = ReadonlyMap<string, readonly string[]>;

const withHistogram = (name: string, labels: readonly string[]): readonly [string, readonly string[]][] => [
  [`${name}_bucket`, [...labels, 'le']],
  [`${name}_sum`, labels],
  [`${name}_count`, labels],
];

/** What a table of docs/health.md, 'Metrics', promises of a part: `Reporter` or `Operator`. */
export const promisedMetrics = (healthDoc: string, part: string): Metrics => {
  const section = healthDoc.split(/^## /m).find((text) => text.startsWith('Metrics\n')) ?? '';
  const table = new RegExp(`^${part} \\(.*\\):\\n\\n((?:\\|.*\\n)+)`, 'm').exec(section)?.[1] ?? '';
  const rows = table.matchAll(/^\| `(\w+)(?:\{([\w,]+)\})?` \| *(.*?) *\|$/gm);
  return new Map(
    [...rows].flatMap(([, name = '', labels, says = '']): readonly [string, readonly string[]][] => {
      const names = labels?.split(',') ?? [];
      return says.includes('histogram') ? withHistogram(name, names) : [[name, names]];
    }),
  );
};

/** What the plugin gives after a call. */
const pluginMetrics = async (): Promise<Metrics> => {
  const metrics = createMetrics(() => new Map([[1, 'kek']]));
  metrics.onCall({ key: 1, method: 'Encrypt', uid: 'uid', seconds: 0.001, error: undefined });
  const lines = (await metrics.render()).matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm);
  return new Map(
    [...lines].map(([, name = '', labels = '']) => [
      name,
      [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label),
    ]),
  );
};

/** What each job of prometheus.yaml scrapes. */
export const metricsByJob = async (): Promise<ReadonlyMap<string, Metrics>> => {
  const healthDoc = await readFile(join(projectDir, 'docs', 'health.md'), 'utf8');
  return new Map([
    ['kms-plugin', await pluginMetrics()],
    ['kms-health-reporter', promisedMetrics(healthDoc, 'Reporter')],
    ['kms-operator', promisedMetrics(healthDoc, 'Operator')],
  ]);
};

/** The labels that a job's targets have by its configuration. */
export const targetLabels = (job: PrometheusConfig['scrape_configs'][number]): readonly string[] => [
  'job',
  'instance',
  ...job.relabel_configs.flatMap(({ target_label }) => target_label ?? []),
];

/** All that rules and dashboards may ask for: metrics with their own labels and their targets', and what Prometheus adds. */
export const knownMetrics = async (config: PrometheusConfig): Promise<Metrics> => {
  const byJob = await metricsByJob();
  const scraped = config.scrape_configs.flatMap((job) => {
    const target = targetLabels(job);
    return [...(byJob.get(job.job_name) ?? [])].map(([name, labels]) => [name, [...labels, ...target]] as const);
  });
  const everyTarget = config.scrape_configs.map(targetLabels);
  return new Map<string, readonly string[]>([
    ...scraped,
    ['up', [...new Set(everyTarget.flat())]],
    ['ALERTS', ['alertname', 'alertstate', 'severity', 'node', 'key', 'target']],
  ]);
};
