import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { createGrpcServer, type GrpcServer } from '../plugin/grpc/server.ts';
import { StatusCode, StatusError } from '../plugin/grpc/status.ts';
import { encodeStatusResponse, type StatusResponse } from '../protos/kms/v2/messages.ts';
import { createProber, type Prober } from './prober.ts';

const well: StatusResponse = { version: 'v2', healthz: 'ok', keyId: 'kek-1' };

let dir: string;
let prober: Prober;
const listening: { close(): void | Promise<void> }[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'prober-'));
  prober = createProber(400, () => new Date('2026-11-26T18:00:00Z'));
  return async () => {
    prober.close();
    await Promise.all(listening.splice(0).map((server) => server.close()));
    await rm(dir, { recursive: true });
  };
});

const pathOf = (keyID: string): string => join(dir, `kms-${keyID}.sock`);
const socket = (keyID: string) => ({ keyID, path: pathOf(keyID) });

const serve = async (keyID: string, status: () => Uint8Array | Promise<Uint8Array>): Promise<GrpcServer> => {
  const server = createGrpcServer({
    methods: new Map([['/v2.KeyManagementService/Status', status]]),
    timeoutMs: 60_000,
    maxMessageLength: 10_000,
    onConnectionError: () => {},
  });
  await new Promise<void>((resolve) => server.listener.listen(pathOf(keyID), resolve));
  listening.push({ close: () => server.drain(0) });
  return server;
};

/** Something that is no gRPC server. */
const serveWords = async (keyID: string, words: string | undefined): Promise<Server> => {
  const open = new Set<{ destroy(): void }>();
  const server = createServer((connection) => {
    open.add(connection);
    connection.on('error', () => {});
    if (words !== undefined) connection.write(words);
  });
  await new Promise<void>((resolve) => server.listen(pathOf(keyID), resolve));
  listening.push({
    close: () => {
      for (const connection of open) connection.destroy();
      server.close();
    },
  });
  return server;
};

const probe = async (keyID: string) => {
  const [result] = await prober.probeAll([socket(keyID)]);
  if (result === undefined) throw new Error('no result');
  return result.report;
};

test('one finding for each socket, in their order, of all at once', async () => {
  await serve('1', () => encodeStatusResponse(well));
  await serve('2', () => new Promise(() => {}));
  await serve('3', () => new Promise(() => {}));
  await serve('4', () => encodeStatusResponse({ ...well, healthz: 'sealed' }));
  const begin = performance.now();
  const results = await prober.probeAll(['4', '3', '2', '1', '5'].map(socket));
  expect(performance.now() - begin).toBeLessThan(2 * 400);
  expect(results.map(({ report }) => [report.keyID, report.status])).toEqual([
    ['4', 'unhealthy'],
    ['3', 'error'],
    ['2', 'error'],
    ['1', 'healthy'],
    ['5', 'error'],
  ]);
  expect(results[0]?.report).toEqual({
    keyID: '4',
    kekID: 'kek-1',
    status: 'unhealthy',
    lastChecked: '2026-11-26T18:00:00.000Z',
    detail: 'sealed',
  });
});

test.each([
  ['HTTP/1', 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'],
  ['garbage', '\u0000\u0001\u0002garbage'.repeat(100)],
  ['silence', undefined],
])('behind a socket is %s', async (_, words) => {
  await serveWords('1', words);
  const begin = performance.now();
  const report = await probe('1');
  expect(report).toMatchObject({ status: 'error', detail: expect.stringMatching(/^[A-Z_]+: ./) });
  expect(performance.now() - begin).toBeLessThan(2 * 400);
});

test('nobody listens at a socket that is there', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(pathOf('closing'), resolve));
  // Closing would take the file away.
  await rename(pathOf('closing'), pathOf('1'));
  await new Promise((resolve) => server.close(resolve));
  expect(await readdir(dir)).toEqual(['kms-1.sock']);
  expect(await probe('1')).toMatchObject({ status: 'error', detail: expect.stringContaining('ECONNREFUSED') });
});

test('answers that are no Status, or too much of one', async () => {
  let bytes: Uint8Array = Buffer.from([0x0a, 0x02, 0xff, 0xfe]);
  await serve('1', () => bytes);
  expect(await probe('1')).toMatchObject({ status: 'error', detail: expect.stringContaining('UTF-8') });
  bytes = Buffer.from('this is no message');
  expect((await probe('1')).status).toBe('error');
  bytes = Buffer.alloc(0);
  expect(await probe('1')).toMatchObject({ status: 'unhealthy' });
  bytes = encodeStatusResponse({ ...well, healthz: 'x'.repeat(1_000_000) });
  const report = await probe('1');
  expect(report.status).toBe('unhealthy');
  expect(report.detail).toHaveLength(1_024);
  bytes = encodeStatusResponse({ ...well, healthz: 'x'.repeat(5_000_000) });
  expect(await probe('1')).toMatchObject({ status: 'error', detail: expect.stringContaining('RESOURCE_EXHAUSTED') });
  bytes = encodeStatusResponse(well);
  expect((await probe('1')).status).toBe('healthy');
});

test('a code, with its words', async () => {
  await serve('1', () => {
    throw new StatusError(StatusCode.PERMISSION_DENIED, 'the role is gone');
  });
  expect(await probe('1')).toMatchObject({ status: 'error', detail: 'PERMISSION_DENIED: the role is gone' });
});

test('a socket that went away is not asked by the connection that is left, and one that came back is', async () => {
  await serve('1', () => encodeStatusResponse(well));
  expect((await probe('1')).status).toBe('healthy');
  await rename(pathOf('1'), pathOf('elsewhere'));
  expect(await probe('1')).toMatchObject({ status: 'error', detail: expect.stringContaining('ENOENT') });
  await serve('1', () => encodeStatusResponse({ ...well, keyId: 'kek-2' }));
  expect(await probe('1')).toMatchObject({ status: 'healthy', kekID: 'kek-2' });
  await rename(pathOf('elsewhere'), pathOf('1'));
  expect(await probe('1')).toMatchObject({ status: 'healthy', kekID: 'kek-1' });
});

test('a connection serves probe after probe', async () => {
  const server = await serve('1', () => encodeStatusResponse(well));
  let connections = 0;
  server.listener.on('connection', () => {
    connections += 1;
  });
  for (let i = 0; i < 20; i++) expect((await probe('1')).status).toBe('healthy');
  expect(connections).toBe(1);
});
