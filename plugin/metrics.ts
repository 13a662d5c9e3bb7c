import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { collectProcess } from '../common/metricsServer.ts';
import { codeName, StatusCode } from './grpc/status.ts';
import type { OnCall } from './methods.ts';

export interface Metrics {
  readonly onCall: OnCall;
  /** In the text format of Prometheus. */
  render(): Promise<string>;
}

/** From 50 µs, which is what a call costs, to beyond the 100 ms that upstream allows Encrypt; seconds. */
const buckets = [0.000_05, 0.000_1, 0.000_25, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** @param keyIds the key ID that Status answers now, by key number. */
export const createMetrics = (keyIds: () => ReadonlyMap<number, string>): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  const calls = new Counter({
    name: 'kms_plugin_calls_total',
    help: 'Calls that have ended, by key number, method and gRPC code.',
    labelNames: ['key', 'method', 'code'],
    registers,
  });
  const durations = new Histogram({
    name: 'kms_plugin_call_duration_seconds',
    help: 'Time inside the plugin for one call.',
    labelNames: ['key', 'method'],
    buckets,
    registers,
  });
  const writeKey = new Gauge({
    name: 'kms_plugin_write_key_info',
    help: '1 for the key ID that new data is encrypted under, by key number; none for a key that has no socket.',
    labelNames: ['key', 'key_id'],
    registers,
    collect: () => {
      writeKey.reset();
      for (const [key, keyId] of keyIds()) writeKey.set({ key, key_id: keyId }, 1);
    },
  });
  collectProcess(registers);
  return {
    onCall: ({ key, method, seconds, error }) => {
      calls.inc({ key, method, code: codeName(error?.code ?? StatusCode.OK) });
      durations.observe({ key, method }, seconds);
    },
    render: () => registry.metrics(),
  };
};
