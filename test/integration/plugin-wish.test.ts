import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeFileWhole } from '../../common/files.ts';
import { type KmsClient, kmsClient } from '../../protos/kms/v2/client.ts';
import type { EncryptResponse } from '../../protos/kms/v2/messages.ts';
import { createWorkplace, logLines, startServer, type Workplace } from './plugin.process.ts';

let workplace: Workplace;
let clients: KmsClient[];

beforeEach(async () => {
  workplace = await createWorkplace();
  clients = [];
  return async () => {
    for (const client of clients) client.close();
    await workplace.remove();
  };
});

type Versions = Readonly<Record<number, number>>;

const wish = (versions: Versions, faults: readonly object[] = []): Promise<void> => {
  const keys = Object.entries(versions).map(([number, version]) => ({ number: Number(number), version }));
  return writeFileWhole(workplace.wish, JSON.stringify({ keys, faults }));
};

const socketOf = (number: number, where = workplace): string => join(where.socketDir, `kms-${number}.sock`);

const clientOf = (number: number, where = workplace, deadlineMs = 10_000): KmsClient => {
  const client = kmsClient(socketOf(number, where), deadlineMs);
  clients.push(client);
  return client;
};

/** The start of the key ID that Status gives, `<number>.<version>`, or the code that it fails with. */
const servedBy = async (client: KmsClient): Promise<string> => {
  const status = await client.status();
  return status.ok ? status.response.keyId.split('.').slice(0, 2).join('.') : status.error.code;
};

const becomes = (client: KmsClient, expected: string): Promise<void> =>
  expect.poll(() => servedBy(client), { interval: 5, timeout: 10_000 }).toBe(expected);

const encrypt = async (client: KmsClient, text: string): Promise<EncryptResponse> => {
  const result = await client.encrypt(Buffer.from(text));
  if (!result.ok) throw new Error(result.error.message);
  return result.response;
};

const decrypt = async (client: KmsClient, encrypted: EncryptResponse): Promise<string> => {
  const result = await client.decrypt(encrypted);
  return result.ok ? Buffer.from(result.response.plaintext).toString() : result.error.code;
};

const sockets = async (): Promise<readonly string[]> => (await readdir(workplace.socketDir)).sort();

test('without a wish it serves nothing, then what is wished, without a restart', async () => {
  const plugin = await startServer(workplace);
  const [one, two, three] = [1, 2, 3].map((number) => clientOf(number));
  if (one === undefined || two === undefined || three === undefined) throw new Error('no clients');
  expect(await servedBy(one)).toBe('UNAVAILABLE');

  await wish({ 1: 1 });
  await becomes(one, '1.1');
  expect((await lstat(socketOf(1))).mode & 0o777).toBe(0o600);

  await wish({ 1: 1, 2: 1, 3: 4 });
  await Promise.all([becomes(two, '2.1'), becomes(three, '3.4')]);
  const encrypted = await encrypt(two, 'of two');
  expect(await decrypt(two, encrypted)).toBe('of two');
  expect(await decrypt(one, encrypted)).toBe('NOT_FOUND');

  await wish({ 3: 4 });
  await Promise.all([becomes(one, 'UNAVAILABLE'), becomes(two, 'UNAVAILABLE')]);
  expect(await sockets()).toEqual(['kms-3.sock']);
  await wish({ 2: 1 });
  await becomes(two, '2.1');
  expect(await decrypt(two, encrypted)).toBe('of two');

  const { code, stderr } = await plugin.stop();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await sockets()).toEqual([]);
});

test('serves a wish within 2 s', async () => {
  await startServer(workplace);
  const begin = performance.now();
  await wish({ 1: 1 });
  await becomes(clientOf(1), '1.1');
  expect(performance.now() - begin).toBeLessThan(2_000);
});

test('at its start it serves what was wished, also after kill -9', async () => {
  const first = await startServer(workplace);
  await wish({ 1: 2, 2: 1 });
  await becomes(clientOf(2), '2.1');
  const encrypted = await encrypt(clientOf(1), 'x');
  await first.stop('SIGKILL');
  expect(await sockets()).toEqual(['kms-1.sock', 'kms-2.sock']);
  await startServer(workplace);
  expect(await servedBy(clientOf(2))).toBe('2.1');
  expect(await decrypt(clientOf(1), encrypted)).toBe('x');
});

test('the plain key beside those of a wish', async () => {
  await wish({ 1: 1 });
  const plugin = await startServer(workplace, `--listen-addr=unix://${workplace.socketDir}/socket.sock`);
  expect(await sockets()).toEqual(['kms-1.sock', 'socket.sock']);
  const plain = kmsClient(join(workplace.socketDir, 'socket.sock'), 10_000);
  clients.push(plain);
  expect(await servedBy(plain)).toBe('0.1');
  expect((await plugin.stop()).code).toBe(0);
});

describe('rotation', () => {
  test('Status and Encrypt change at once, on open connections; what is old stays readable', async () => {
    await wish({ 1: 1 });
    await startServer(workplace);
    const client = clientOf(1);
    const old = await encrypt(client, 'old');
    for (const version of [2, 3, 7]) {
      await wish({ 1: version });
      await becomes(client, `1.${version}`);
      const status = await client.status();
      expect(status).toMatchObject({ response: { keyId: (await encrypt(client, 'new')).keyId } });
      expect(await decrypt(client, old)).toBe('old');
    }
    expect(JSON.parse(await readFile(workplace.keystore, 'utf8')).versions).toEqual({ 1: 7 });
  });

  test('never goes back, neither by a wish nor by a restart nor by both', async () => {
    const first = await startServer(workplace);
    await wish({ 1: 5 });
    const client = clientOf(1);
    await becomes(client, '1.5');
    await wish({ 1: 2, 2: 1 });
    await becomes(clientOf(2), '2.1');
    expect(await servedBy(client)).toBe('1.5');
    await first.stop('SIGKILL');
    await wish({ 1: 1 });
    await startServer(workplace);
    await becomes(client, '1.5');
  });

  test('nodes with one seed agree, also about a version that one has not been told of', async () => {
    const other = await createWorkplace();
    try {
      const plugin = await startServer(workplace);
      await writeFileWhole(other.keystore, await readFile(workplace.keystore));
      await wish({ 1: 4 });
      await writeFileWhole(other.wish, '{"keys":[{"number":1,"version":1}],"faults":[]}');
      const behind = await startServer(other);
      await becomes(clientOf(1), '1.4');
      const encrypted = await encrypt(clientOf(1), 'ahead');
      expect(await servedBy(clientOf(1, other))).toBe('1.1');
      expect(await decrypt(clientOf(1, other), encrypted)).toBe('ahead');
      expect(await decrypt(clientOf(1), await encrypt(clientOf(1, other), 'behind'))).toBe('behind');
      await Promise.all([plugin.stop(), behind.stop()]);
    } finally {
      await other.remove();
    }
  });

  test('a version that cannot be noted is not served; the old one goes on', async () => {
    await wish({ 1: 1 });
    const plugin = await startServer(workplace);
    const client = clientOf(1);
    const keystore = await readFile(workplace.keystore);
    await rm(workplace.keystore);
    await wish({ 1: 2 });
    const path = workplace.keystore;
    const complaint = await plugin.said(`could not note version 2 of key 1 in keystore ${path}`);
    expect(complaint).toMatchObject({ key: 1, level: 'error', got: 'it was removed' });
    expect(await servedBy(client)).toBe('1.1');
    await writeFileWhole(path, keystore);
    await becomes(client, '1.2');
  });
});

describe('a wish that cannot be read', () => {
  test.each([
    ['cut short', '{"keys":[{"number":1,"ver', 'it is cut short or is no JSON'],
    ['empty', '', 'it is empty'],
    ['of a wrong shape', '{"keys":[{"number":"1"}]}', 'keys 0 number must be'],
    ['with an unknown fault', '{"keys":[],"faults":[{"name":"a","kind":"fire"}]}', 'faults 0 kind must be one of'],
  ])('%s: an error, and the last good one stays', async (_name, text, reason) => {
    await wish({ 1: 1 });
    const plugin = await startServer(workplace);
    // In place, as an editor may do it: the plugin may see the file empty before it is full.
    await writeFile(workplace.wish, text);
    const line = await plugin.said('could not read wish.json: going on as it last was', reason);
    expect(line).toMatchObject({ level: 'error' });
    expect(await servedBy(clientOf(1))).toBe('1.1');
    await wish({ 2: 1 });
    await becomes(clientOf(2), '2.1');
  });

  test('removed: the last one stays', async () => {
    await wish({ 1: 1 });
    const plugin = await startServer(workplace);
    await rm(workplace.wish);
    await plugin.said('wish.json is gone: going on as it last was');
    expect(await servedBy(clientOf(1))).toBe('1.1');
  });

  test('from the start: not ready until there is one that can be read', async () => {
    await writeFileWhole(workplace.wish, '{');
    const plugin = await startServer(workplace, '--metrics-addr=127.0.0.1:0');
    const { metricsPort } = await plugin.said('serving KMS v2');
    const ready = async (): Promise<number> => (await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).status;
    expect(await ready()).toBe(503);
    await wish({ 1: 1 });
    await expect.poll(ready, { interval: 10 }).toBe(200);
    expect(await servedBy(clientOf(1))).toBe('1.1');
  });
});

test('a socket that another process has: an error, not ready, others served; taken when it is free', async () => {
  await mkdir(workplace.socketDir);
  const other = await new Promise<Server>((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(socketOf(1), () => resolve(server));
  });
  await wish({ 1: 1, 2: 1 });
  const plugin = await startServer(workplace, '--metrics-addr=127.0.0.1:0');
  const { metricsPort } = await plugin.said('serving KMS v2');
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${metricsPort}${path}`);
  expect(await plugin.said(`could not listen on ${socketOf(1)}`)).toMatchObject({ key: 1, level: 'error' });
  expect(await servedBy(clientOf(2))).toBe('2.1');
  expect((await get('/readyz')).status).toBe(503);
  await new Promise<void>((resolve) => other.close(() => resolve()));
  await becomes(clientOf(1), '1.1');
  await expect.poll(async () => (await get('/readyz')).status, { interval: 10 }).toBe(200);
  const metrics = await (await get('/metrics')).text();
  expect(metrics).toMatch(/kms_plugin_write_key_info\{key="1",key_id="1\.1\.[0-9a-f]{32}"\} 1/);
  expect(metrics).toMatch(/kms_plugin_calls_total\{key="2",method="Status",code="OK"\} 1/);
});

describe('faults of a wish', () => {
  test('touch the key that they name, end when they are cleared', async () => {
    await wish({ 1: 1, 2: 1 });
    await startServer(workplace);
    await wish({ 1: 1, 2: 1 }, [{ name: 'out', kind: 'error', code: 'DATA_LOSS', key: 1 }]);
    await becomes(clientOf(1), 'DATA_LOSS');
    expect(await servedBy(clientOf(2))).toBe('2.1');
    await wish({ 1: 1, 2: 1 });
    await becomes(clientOf(1), '1.1');
  });

  test('may delay an answer beyond --timeout, and end by themselves', async () => {
    await wish({ 1: 1 });
    await startServer(workplace, '--timeout=100ms');
    const client = clientOf(1);
    await becomes(client, '1.1');
    const took = async (): Promise<number> => {
      const begin = performance.now();
      expect(await servedBy(client)).toBe('1.1');
      return performance.now() - begin;
    };
    const until = new Date(Date.now() + 3_000).toISOString();
    await wish({ 1: 1 }, [{ name: 'slow', kind: 'latency', milliseconds: 400, until }]);
    await expect.poll(took, { interval: 10, timeout: 3_000 }).toBeGreaterThan(390);
    await expect.poll(took, { interval: 10, timeout: 10_000 }).toBeLessThan(300);
  });

  test('a hang ends with the client, and does not hold up the end of the plugin', async () => {
    await wish({ 1: 1 }, [{ name: 'stuck', kind: 'hang' }]);
    const plugin = await startServer(workplace, '--timeout=100ms');
    expect(await servedBy(clientOf(1, workplace, 400))).toBe('DEADLINE_EXCEEDED');
    const left = servedBy(clientOf(1));
    await wish({ 1: 1 }, [{ name: 'slow', kind: 'latency', milliseconds: 86_400_000 }]);
    const leftToo = servedBy(clientOf(1));
    const begin = performance.now();
    expect((await plugin.stop()).code).toBe(0);
    expect(performance.now() - begin).toBeLessThan(3_000);
    expect(await Promise.all([left, leftToo])).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  });

  test('a missing socket is gone with its connections, and comes back by itself', async () => {
    await wish({ 1: 1, 2: 1 });
    const plugin = await startServer(workplace);
    const client = clientOf(1);
    const encrypted = await encrypt(client, 'x');
    const until = new Date(Date.now() + 3_000).toISOString();
    await wish({ 1: 1, 2: 1 }, [{ name: 'gone', kind: 'missing-socket', key: 1, until }]);
    await becomes(client, 'UNAVAILABLE');
    expect(await sockets()).toEqual(['kms-2.sock']);
    await expect.poll(() => decrypt(client, encrypted), { interval: 20, timeout: 10_000 }).toBe('x');
    const { stdout } = await plugin.stop();
    expect(logLines(stdout).filter(({ level }) => level === 'error')).toEqual([]);
  });
});

test('kill -9 at any moment of rotations loses nothing', async () => {
  let version = 1;
  const client = clientOf(1);
  const written: EncryptResponse[] = [];
  let plugin = await startServer(workplace);
  for (let round = 0; round < 8; round++) {
    await wish({ 1: version + 1 });
    await new Promise((resolve) => setTimeout(resolve, round * 2));
    await plugin.stop('SIGKILL');
    plugin = await startServer(workplace);
    await becomes(client, `1.${version + 1}`);
    version++;
    written.push(await encrypt(client, `${version}`));
  }
  const read = await Promise.all(written.map((encrypted) => decrypt(client, encrypted)));
  expect(read).toEqual(['2', '3', '4', '5', '6', '7', '8', '9']);
});
