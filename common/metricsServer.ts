import type { Server } from 'node:http';
import { Counter, Gauge, type Registry } from 'prom-client';
import { Failure, messageOf } from './failure.ts';
import type { TcpAddress } from './flagValues.ts';

/** What Prometheus asks of every process. prom-client's own collection would wake the process a hundred times a second. */
export const collectProcess = (registers: Registry[]): void => {
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
 * Serves /metrics (`render`, in the text format of Prometheus), /healthz (200 while the process answers) and /readyz (200 while `isReady`, else 503).
 * @throws Failure where the address cannot be had.
 */
export const serveHealth = async (
  address: TcpAddress,
  render: () => Promise<string>,
  isReady: () => boolean,
): Promise<HealthServer> => {
  // An import of node:http as a module touches all that it exports, and so loads fetch and WebSocket: 20 ms and 10 MB.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/metrics') {
      const text = await render();
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
      next: 'give another address or port, or none to serve no metrics',
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
