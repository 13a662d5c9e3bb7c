import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { collectProcess } from '../common/metricsServer.ts';
import type { Outcome } from './server.ts';

/** From a pod that is left alone to one that waits for its namespace, up to the webhook's timeout; seconds. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface AdmissionMetrics {
  answered(path: string, outcome: Outcome, seconds: number): void;
  /** @param expiresAt milliseconds since 1970 */
  certificate(expiresAt: number): void;
  /** In the text format of Prometheus. */
  render(): Promise<string>;
}

export const createMetrics = (): AdmissionMetrics => {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'admission_webhook_requests_total',
    help: 'Admission reviews, by path and how they ended.',
    labelNames: ['path', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'admission_webhook_request_duration_seconds',
    help: 'Time to answer an admission review.',
    labelNames: ['path'],
    buckets,
    registers,
  });
  const expiry = new Gauge({
    name: 'admission_webhook_certificate_expiry_timestamp_seconds',
    help: 'When the serving certificate expires, in seconds since 1970; it is renewed after two thirds of its life.',
    registers,
  });
  collectProcess(registers);
  return {
    answered: (path, outcome, seconds) => {
      requests.inc({ path, outcome });
      durations.observe({ path }, seconds);
    },
    certificate: (expiresAt) => expiry.set(expiresAt / 1000),
    render: () => registry.metrics(),
  };
};
