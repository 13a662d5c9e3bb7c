import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { createGrpcServer } from '../../../plugin/grpc/server.ts';
import { StatusCode, StatusError } from '../../../plugin/grpc/status.ts';
import { type KmsClient, kmsClient } from './client.ts';
import {
  decodeDecryptRequest,
  decodeEncryptRequest,
  encodeDecryptResponse,
  encodeEncryptResponse,
  encodeStatusResponse,
} from './messages.ts';

const status = { version: 'v2', healthz: 'ok', keyId: 'key-1' };
const annotations = new Map([['a.example.com', Buffer.from('1')]]);
const path = '/v2.KeyManagementService';

let socketPath: string;
let client: KmsClient;

beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kms-client-'));
  socketPath = join(dir, 'kms.sock');
  client = kmsClient(socketPath, 2_000);
  return async () => {
    client.close();
    await rm(dir, { recursive: true });
  };
});

/** A plugin that 'seals' by giving back what it got. */
const serve = async () => {
  const server = createGrpcServer({
    methods: new Map<string, (message: Buffer) => Uint8Array | Promise<Uint8Array>>([
      [`${path}/Status`, () => encodeStatusResponse(status)],
      [
        `${path}/Encrypt`,
        (message) => {
          const { plaintext, uid } = decodeEncryptRequest(message);
          if (uid === '') throw new Error('no uid');
          return encodeEncryptResponse({ ciphertext: plaintext, keyId: 'key-1', annotations });
        },
      ],
      [
        `${path}/Decrypt`,
        (message) => {
          const { ciphertext, keyId } = decodeDecryptRequest(message);
          if (keyId === 'hang') return new Promise(() => {});
          if (keyId !== 'key-1') throw new StatusError(StatusCode.NOT_FOUND, `no key ${keyId}`);
          return encodeDecryptResponse({ plaintext: ciphertext });
        },
      ],
    ]),
    timeoutMs: 5_000,
    maxMessageLength: 10_000,
    onConnectionError: () => {},
  });
  await new Promise<void>((resolve) => server.listener.listen(socketPath, resolve));
  return server;
};

test('status, encrypt and decrypt', async () => {
  const server = await serve();
  expect(await client.status()).toEqual({ ok: true, response: status });
  const encrypted = await client.encrypt(Buffer.from('seed'));
  if (!encrypted.ok) throw new Error(encrypted.error.message);
  expect(encrypted.response).toEqual({ ciphertext: Buffer.from('seed'), keyId: 'key-1', annotations });
  expect(await client.decrypt(encrypted.response)).toEqual({ ok: true, response: { plaintext: Buffer.from('seed') } });
  await server.drain(0);
});

test('a refusal is a value that names socket, method and code', async () => {
  const server = await serve();
  expect(await client.decrypt({ ciphertext: Buffer.from('x'), keyId: 'other', annotations })).toEqual({
    ok: false,
    error: {
      socketPath,
      method: 'Decrypt',
      code: 'NOT_FOUND',
      details: 'no key other',
      message: `Decrypt at ${socketPath}: NOT_FOUND: no key other`,
    },
  });
  await server.drain(0);
});

test('a plugin that does not answer takes no longer than the deadline', async () => {
  const server = await serve();
  const hasty = kmsClient(socketPath, 50);
  const result = await hasty.decrypt({ ciphertext: Buffer.from('x'), keyId: 'hang', annotations });
  expect(result).toMatchObject({ ok: false, error: { code: 'DEADLINE_EXCEEDED' } });
  hasty.close();
  await server.drain(0);
});

test('a socket that is not there yet, then is', async () => {
  const missing = await client.status();
  expect(missing).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', socketPath } });
  const server = await serve();
  await expect.poll(() => client.status(), { timeout: 2_000 }).toEqual({ ok: true, response: status });
  await server.drain(0);
});

test('after close every call fails', async () => {
  client.close();
  expect(await client.status()).toMatchObject({ ok: false, error: { method: 'Status' } });
});
