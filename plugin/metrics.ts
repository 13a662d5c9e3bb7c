import type { Server } from 'node:http';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Failure, messageOf } from '../common/failure.ts';
import type { TcpAddress } from './flagValues.ts';
import { codeName, StatusCode } from './grpc/status.ts';
import type { OnCall } from './methods.ts';

export interface Metrics {
  readonly onCall: OnCall;
  /** In the text format of Prometheus. */
  render(): Promise<string>;
}

/** From 50 µs, which is what a call costs, to beyond the 100 ms that upstream allows Encrypt; seconds. */
const buckets = [0.000_05, 0.000_1, 0.000_25, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** What Prometheus asks of every process. prom-client's own collection would wake the process a hundred times a second. */
const collectProcess = (registers: Registry[]): void => {
  const memory = new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory size in bytes.',
    registers,
    collect: () => {
      memory.set(process.memoryUsage.rss());
    },
  });
  const cpu = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Total user and system CPU time spent in seconds.',
    registers,
    collect: () => {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'Start time of the process since unix epoch in seconds.',
    registers,
  }).set(performance.timeOrigin / 1000);
};

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

export interface HealthServer {
  readonly port: number;
  close(): void;
}

const listen = (server: Server, { host, port }: TcpAddress): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });

/**
 * Serves /metrics, /healthz (200 while the process answers) and /readyz (200 while `isReady`, else 503).
 * @throws Failure where the address cannot be had.
 */
export const serveHealth = async (
  address: TcpAddress,
  metrics: Metrics,
  isReady: () => boolean,
): Promise<HealthServer> => {
  // An import of node:http as a module touches all that it exports, and so loads fetch and WebSocket: 20 ms and 10 MB.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/metrics') {
      const text = await metrics.render();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
    } else if (path === '/healthz' || (path === '/readyz' && isReady())) {
      response.end('ok\n');
    } else {
      response.writeHead(path === '/readyz' ? 503 : 404).end();
    }
  });
  await listen(server, address).catch((cause: unknown) => {
    throw new Failure({
      tried: `serve metrics on ${address.host ?? ''}:${address.port}`,
      got: messageOf(cause),
      next: 'give another --metrics-addr or --metrics-port, or none to serve no metrics',
      cause,
    });
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
