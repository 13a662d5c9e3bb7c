import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadAuthority } from '../../cluster/pki.ts';
import type { PropertyMap } from '../protocol/values.ts';
import { ApiError, type KubeClient, kubeClient, Unreachable } from './client.ts';

let server: Server;
let answer: RequestListener;
let client: KubeClient;
let connect: () => KubeClient;
const { signal } = new AbortController();

beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kube-client-'));
  const authority = await loadAuthority(dir, 'ca');
  rmSync(dir, { recursive: true });
  const serving = await authority.issue({ commonName: 'x', usages: ['server'], addresses: ['127.0.0.1'] });
  server = createServer({ cert: serving.certificate, key: serving.key }, (request, response) =>
    answer(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const credentials = { ca: authority.certificate, headers: { authorization: 'Bearer token' } };
  const { port } = server.address() as AddressInfo;
  const connection = { server: `https://127.0.0.1:${port}/prefix`, namespace: 'default' };
  connect = () => kubeClient({ ...connection, credentials: () => Promise.resolve(credentials) });
});

beforeEach(() => {
  client = connect();
});
afterEach(() => client.close());
afterAll(() => {
  server.close();
});

const json = (response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
};

test('a request has its credentials, query and body, and the answer its warnings', async () => {
  answer = async (request, response) => {
    const { url, method, headers } = request;
    const { authorization, 'content-type': type } = headers;
    const warning = '299 - "unknown field \\"a\\"", 299 - "old"';
    json(response, 201, { url, method, authorization, type, sent: await bodyOf(request) }, { warning });
  };
  const query = { dryRun: 'All', fieldManager: undefined };
  expect(await client.send({ method: 'POST', path: '/api', query, body: { a: 1 }, signal })).toEqual({
    body: {
      url: '/prefix/api?dryRun=All',
      method: 'POST',
      authorization: 'Bearer token',
      type: 'application/json',
      sent: { a: 1 },
    },
    warnings: ['unknown field "a"', 'old'],
  });
});

test('a refusal is the status that the server gives', async () => {
  answer = (_request, response) => json(response, 409, { message: 'it exists', reason: 'AlreadyExists' });
  const failure = client.send({ method: 'GET', path: '/', signal });
  await expect(failure).rejects.toMatchObject({
    name: 'ApiError',
    code: 409,
    reason: 'AlreadyExists',
    message: 'it exists',
  });
});

test('a refusal by something else than an API server is its text', async () => {
  answer = (_request, response) => response.writeHead(502).end('Bad gateway\n');
  await expect(client.send({ method: 'GET', path: '/', signal })).rejects.toThrow('Bad gateway');
});

test('a request that the server puts off is sent again', async () => {
  let requests = 0;
  answer = (_request, response) => {
    requests += 1;
    json(response, requests < 3 ? 429 : 200, { requests }, requests < 3 ? { 'retry-after': '0' } : {});
  };
  expect((await client.send({ method: 'GET', path: '/', signal })).body).toEqual({ requests: 3 });
});

test('but not for ever', async () => {
  answer = (_request, response) => json(response, 503, { message: 'starting' }, { 'retry-after': '0' });
  await expect(client.send({ method: 'GET', path: '/', signal })).rejects.toThrow('starting');
});

test('a kept connection that the server closes is no failure', async () => {
  let requests = 0;
  answer = (request, response) => {
    requests += 1;
    if (requests === 2) request.socket.destroy();
    else json(response, 200, { requests });
  };
  await client.send({ method: 'GET', path: '/', signal });
  expect((await client.send({ method: 'GET', path: '/', signal })).body).toEqual({ requests: 3 });
});

test('a fresh connection that breaks is one', async () => {
  answer = (request) => request.socket.destroy();
  await expect(client.send({ method: 'GET', path: '/', signal })).rejects.toThrow(Unreachable);
});

test('a request can be ended', async () => {
  const controller = new AbortController();
  answer = () => controller.abort();
  const failure = client.send({ method: 'GET', path: '/', signal: controller.signal });
  await expect(failure).rejects.toMatchObject({ name: 'AbortError' });
});

const events = async (): Promise<PropertyMap[]> => {
  const seen: PropertyMap[] = [];
  for await (const event of client.watch('/pods', { resourceVersion: '1' }, signal)) seen.push(event);
  return seen;
};

test('events of a watch come one by one, wherever the network cuts them', async () => {
  answer = (request, response) => {
    expect(request.url).toBe('/prefix/pods?resourceVersion=1&watch=1');
    response.writeHead(200).write('{"type":"ADDED","obj');
    setTimeout(() => response.end('ect":{"a":"ä"}}\n{"type":"DELETED"}\n'), 10);
  };
  expect(await events()).toEqual([{ type: 'ADDED', object: { a: 'ä' } }, { type: 'DELETED' }]);
});

test('an error in a watch is the status that the server gives', async () => {
  const status = { code: 410, message: 'too old resource version', reason: 'Expired' };
  answer = (_request, response) =>
    response.writeHead(200).end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
  await expect(events()).rejects.toThrow(ApiError);
  await expect(events()).rejects.toMatchObject({ code: 410, reason: 'Expired' });
});
