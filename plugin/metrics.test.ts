import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { Failure } from '../common/failure.ts';
import { serveHealth } from '../common/metricsServer.ts';
import { StatusCode, StatusError } from './grpc/status.ts';
import { createMetrics } from './metrics.ts';

const address = { host: '127.0.0.1', port: 0 };

test('calls are counted by method and code, and timed', async () => {
  const metrics = createMetrics(() => new Map([[3, 'id-1']]));
  metrics.onCall({ key: 3, method: 'Encrypt', uid: 'a', seconds: 0.000_07, error: undefined });
  metrics.onCall({ key: 3, method: 'Encrypt', uid: 'b', seconds: 0.000_2, error: undefined });
  metrics.onCall({
    key: 3,
    method: 'Decrypt',
    uid: 'c',
    seconds: 0.1,
    error: new StatusError(StatusCode.NOT_FOUND, 'x'),
  });
  const lines = (await metrics.render()).split('\n');
  expect(lines).toContain('kms_plugin_calls_total{key="3",method="Encrypt",code="OK"} 2');
  expect(lines).toContain('kms_plugin_calls_total{key="3",method="Decrypt",code="NOT_FOUND"} 1');
  expect(lines).toContain('kms_plugin_call_duration_seconds_bucket{le="0.0001",key="3",method="Encrypt"} 1');
  expect(lines).toContain('kms_plugin_call_duration_seconds_count{key="3",method="Encrypt"} 2');
  expect(lines).toContain('kms_plugin_write_key_info{key="3",key_id="id-1"} 1');
  expect(lines.some((line) => line.startsWith('process_resident_memory_bytes '))).toBe(true);
});

test('the keys are those of the moment', async () => {
  const keyIds = new Map([[3, 'id-1']]);
  const metrics = createMetrics(() => keyIds);
  await metrics.render();
  keyIds.set(3, 'id-2').set(4, 'id-3');
  const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith('kms_plugin_write_key_info{'));
  expect(lines).toEqual([
    'kms_plugin_write_key_info{key="3",key_id="id-2"} 1',
    'kms_plugin_write_key_info{key="4",key_id="id-3"} 1',
  ]);
});

test('metrics and health over HTTP', async () => {
  let ready = false;
  const server = await serveHealth(address, createMetrics(() => new Map([[3, 'id-1']])).render, () => ready);
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${server.port}${path}`);
  try {
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
    ready = true;
    expect((await get('/readyz?verbose')).status).toBe(200);
    expect((await get('/other')).status).toBe(404);
    const metrics = await get('/metrics');
    expect(metrics.headers.get('content-type')).toContain('version=0.0.4');
    expect(await metrics.text()).toContain('kms_plugin_calls_total');
  } finally {
    server.close();
  }
  await expect(get('/healthz')).rejects.toThrow();
});

test('an address in use is a failure that says so', async () => {
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => {
      const bound = other.address();
      resolve(typeof bound === 'object' ? (bound?.port ?? 0) : 0);
    });
  });
  const start = serveHealth({ host: '127.0.0.1', port }, createMetrics(() => new Map()).render, () => true);
  await expect(start).rejects.toThrow(Failure);
  other.close();
});
