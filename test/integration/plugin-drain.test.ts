import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { beforeEach, expect, test } from 'vitest';
import { FieldWriter } from '../../protos/wire.ts';
import { createWorkplace, startPlugin, type Workplace } from './plugin.process.ts';

let workplace: Workplace;
let session: ClientHttp2Session;

beforeEach(async () => {
  workplace = await createWorkplace();
  return async () => {
    session.destroy();
    await workplace.remove();
  };
});

const body = new FieldWriter().bytes(1, Buffer.from('seed')).finish();
const message = Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), body]);

/** Begins an Encrypt whose request does not come to its end. */
const beginCall = async (): Promise<ClientHttp2Stream> => {
  session = connectHttp2('http://localhost', { createConnection: () => connect(workplace.socket) });
  await once(session, 'connect');
  const stream = session.request({
    ':method': 'POST',
    ':path': '/v2.KeyManagementService/Encrypt',
    'content-type': 'application/grpc',
  });
  stream.write(message.subarray(0, 7));
  // A ping is answered in order: after it, the plugin knows of the call.
  await new Promise<void>((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)));
  });
  return stream;
};

const statusOf = (stream: ClientHttp2Stream): Promise<unknown> =>
  new Promise((resolve, reject) => {
    stream.once('trailers', (trailers) => resolve(trailers['grpc-status']));
    stream.once('response', (header) => {
      if ('grpc-status' in header) resolve(header['grpc-status']);
    });
    stream.once('error', reject);
    stream.resume();
  });

const isGone = (path: string): Promise<boolean> =>
  access(path).then(
    () => false,
    () => true,
  );

test('SIGTERM lets a call under way come to its end', async () => {
  const plugin = await startPlugin(workplace, '--timeout=30s');
  const call = await beginCall();
  const status = statusOf(call);
  const goneAway = new Promise((resolve) => session.once('goaway', resolve));
  plugin.process.kill('SIGTERM');
  await goneAway;
  expect(await isGone(workplace.socket)).toBe(true);
  call.end(message.subarray(7));
  expect(await status).toBe('0');
  expect((await plugin.ended).code).toBe(0);
});

test('a plugin that drains does not hinder its successor', async () => {
  const old = await startPlugin(workplace, '--timeout=30s');
  const call = await beginCall();
  const status = statusOf(call);
  old.process.kill('SIGTERM');
  await old.said('draining');
  const successor = await startPlugin(workplace);
  call.end(message.subarray(7));
  expect(await status).toBe('0');
  expect((await old.ended).code).toBe(0);
  // The old one left its successor's socket alone.
  expect(await isGone(workplace.socket)).toBe(false);
  expect((await successor.stop()).code).toBe(0);
});

test('a call that does not come to its end holds it no longer than --timeout', async () => {
  const plugin = await startPlugin(workplace, '--timeout=300ms');
  const call = await beginCall();
  const status = statusOf(call);
  const begin = performance.now();
  expect((await plugin.stop()).code).toBe(0);
  expect(performance.now() - begin).toBeLessThan(3_000);
  expect(await status).toBe('4');
});
