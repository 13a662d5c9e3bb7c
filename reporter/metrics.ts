import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { collectProcess } from '../common/metricsServer.ts';
import type { Probe } from './prober.ts';
import type { ReporterEvents } from './reporter.ts';

/** From a plugin in memory to one that nears the read timeout; seconds. */
const buckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

export interface ReporterMetrics extends ReporterEvents {
  /** In the text format of Prometheus. */
  render(): Promise<string>;
}

/** What docs/health.md lists for the reporter. */
export const createMetrics = (): ReporterMetrics => {
  const registry = new Registry();
  const registers = [registry];
  const probes = new Counter({
    name: 'kms_health_reporter_probes_total',
    help: 'Probes of KMS plugins, by key number and what they found.',
    labelNames: ['key', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'kms_health_reporter_probe_duration_seconds',
    help: 'Time until a plugin answered Status, or did not.',
    labelNames: ['key'],
    buckets,
    registers,
  });
  const healthy = new Gauge({
    name: 'kms_health_reporter_plugin_healthy',
    help: '1 where the last probe of a key found its plugin healthy, else 0.',
    labelNames: ['key'],
    registers,
  });
  const writes = new Counter({
    name: 'kms_health_reporter_writes_total',
    help: 'Reports to the API server, by whether they were delivered or dropped.',
    labelNames: ['result'],
    registers,
  });
  for (const result of ['delivered', 'dropped']) writes.inc({ result }, 0);
  const lastDelivery = new Gauge({
    name: 'kms_health_reporter_last_delivery_timestamp_seconds',
    help: 'When a report was delivered last, in seconds since 1970; 0 before the first.',
    registers,
  });
  collectProcess(registers);
  const probed = (results: readonly Probe[]): void => {
    healthy.reset();
    for (const { report, seconds } of results) {
      probes.inc({ key: report.keyID, status: report.status });
      durations.observe({ key: report.keyID }, seconds);
      healthy.set({ key: report.keyID }, report.status === 'healthy' ? 1 : 0);
    }
  };
  return {
    probed,
    delivered: () => {
      writes.inc({ result: 'delivered' });
      lastDelivery.setToCurrentTime();
    },
    dropped: () => writes.inc({ result: 'dropped' }),
    render: () => registry.metrics(),
  };
};
