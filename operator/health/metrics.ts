import { Gauge, Registry } from 'prom-client';
import type { Target } from '../../common/kmsHealthTarget.ts';
import { collectProcess } from '../../common/metricsServer.ts';
import { differingKEKs } from './memory.ts';
import type { HealthPlan } from './plan.ts';
import { isStale } from './rollUp.ts';

export interface HealthMetrics {
  looked(target: Target, plan: HealthPlan | undefined): void;
  /** In the text format of Prometheus. */
  render(): Promise<string>;
}

/**
 * What docs/health.md lists for the operator.
 * @param monotonic the clock of looks, milliseconds.
 */
export const createHealthMetrics = (intervalMs: number, monotonic: () => number): HealthMetrics => {
  const registry = new Registry();
  const registers = [registry];
  const looks = new Map<Target, HealthPlan>();
  /** Of all that was seen last: what is not there any more has no series. */
  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    set: (gauge: Gauge, target: Target, plan: HealthPlan) => void,
  ) => {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect: () => {
        made.reset();
        for (const [target, plan] of looks) set(made, target, plan);
      },
    });
  };
  gauge(
    'kms_plugin_health',
    '1 for what the reporter of a node said last of the KMS plugin of a key: healthy, unhealthy, error; unknown where that is stale.',
    ['target', 'node', 'key', 'status'],
    (made, target, plan) => {
      for (const { node, plugins = [] } of plan.reports) {
        const stale = isStale({ memory: plan.memory, intervalMs, monotonic: monotonic() }, node);
        for (const { keyID, status } of plugins)
          made.set({ target, node, key: keyID, status: stale ? 'unknown' : status }, 1);
      }
    },
  );
  gauge(
    'kms_health_report_age_seconds',
    'How long the reporter of a node has told nothing new.',
    ['target', 'node'],
    (made, target, plan) => {
      for (const { node } of plan.reports) {
        const at = plan.memory.heard.get(node)?.at ?? monotonic();
        made.set({ target, node }, (monotonic() - at) / 1000);
      }
    },
  );
  gauge(
    'kms_keks',
    'How many different key-encryption keys the nodes have for a key.',
    ['target', 'key'],
    (made, target, plan) => {
      const differing = differingKEKs(plan.reports);
      for (const { plugins = [] } of plan.reports) {
        for (const { keyID, kekID } of plugins) {
          if (kekID !== undefined) made.set({ target, key: keyID }, differing.get(keyID)?.size ?? 1);
        }
      }
    },
  );
  gauge(
    'kms_plugins_degraded',
    '1 for the status of KMSPluginsDegraded.',
    ['target', 'status'],
    (made, target, plan) => {
      for (const { status } of plan.conditions.conditions) made.set({ target, status }, 1);
    },
  );
  collectProcess(registers);
  return {
    looked: (target, plan) => {
      if (plan === undefined) looks.delete(target);
      else looks.set(target, plan);
    },
    render: () => registry.metrics(),
  };
};
