import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';
import type { Probe } from './prober.ts';

const probe = (keyID: string, status: 'healthy' | 'error'): Probe => ({
  report: { keyID, status, lastChecked: '2026-11-26T18:00:00Z' },
  seconds: 0.002,
});

it('counts probes and reports; a key that has gone has no health', async () => {
  const metrics = createMetrics();
  metrics.probed([probe('1', 'healthy'), probe('2', 'error')]);
  metrics.delivered();
  metrics.probed([probe('2', 'healthy')]);
  metrics.dropped();
  const lines = (await metrics.render()).split('\n');
  expect(lines).toContain('kms_health_reporter_probes_total{key="2",status="error"} 1');
  expect(lines).toContain('kms_health_reporter_probe_duration_seconds_count{key="2"} 2');
  expect(lines.filter((line) => line.startsWith('kms_health_reporter_plugin_healthy{'))).toEqual([
    'kms_health_reporter_plugin_healthy{key="2"} 1',
  ]);
  expect(lines).toContain('kms_health_reporter_writes_total{result="delivered"} 1');
  expect(lines).toContain('kms_health_reporter_writes_total{result="dropped"} 1');
  const last = lines.find((line) => line.startsWith('kms_health_reporter_last_delivery_timestamp_seconds '));
  expect(Number(last?.split(' ')[1])).toBeGreaterThan(Date.now() / 1000 - 60);
});

it('has what docs/health.md says, and no more', async () => {
  const docs = readFileSync(new URL('../docs/health.md', import.meta.url), 'utf8');
  const told = [...docs.matchAll(/`(kms_health_reporter_\w+)/g)].map(([, name]) => name);
  const rendered = await createMetrics().render();
  const names = [...rendered.matchAll(/^# TYPE (kms_\w+)/gm)].map(([, name]) => name);
  expect(new Set(names)).toEqual(new Set(told));
});
