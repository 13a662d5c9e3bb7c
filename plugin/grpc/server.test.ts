import { constants } from 'node:http2';
import { beforeEach, describe, expect, test } from 'vitest';
import { withPrefix } from './message.ts';
import { hello, request, startTestServer, type TestServer, withSession } from './testServer.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer();
  return server.remove;
});

describe('calls by node:http2', () => {
  test('an answer', async () => {
    const answer = await withSession(server, (session) => request(session, '/test/Echo', [hello]));
    expect(answer).toEqual({ http: 200, status: '0', message: undefined, body: hello });
  });

  test('a request in many pieces, and an empty message', async () => {
    const long = withPrefix(Buffer.alloc(50_000, 3));
    const pieces = Array.from({ length: 51 }, (_, index) => long.subarray(index * 1_000, (index + 1) * 1_000));
    await withSession(server, async (session) => {
      expect((await request(session, '/test/Echo', pieces)).body).toEqual(long);
      expect((await request(session, '/test/Echo', [withPrefix(Buffer.alloc(0))])).status).toBe('0');
    });
  });

  test('many at once, more bytes than any window, with headers that fill the table', async () => {
    const long = withPrefix(Buffer.alloc(20_000, 4));
    const patient = await startTestServer(30_000);
    await withSession(patient, async (session) => {
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          request(session, '/test/Echo', [long], { 'grpc-timeout': `${index}m`, [`x-${index}`]: 'ÿ¡~{|}'.repeat(9) }),
        ),
      );
      for (const answer of answers) expect(answer.body).toEqual(long);
    }).finally(patient.remove);
  });

  test('an answer that has to wait for the windows', async () => {
    const answer = await withSession(server, (session) => request(session, '/test/Long', [hello]));
    expect(answer).toMatchObject({ status: '0', body: withPrefix(Buffer.alloc(200_000, 7)) });
  });

  test('failures', async () => {
    await withSession(server, async (session) => {
      const refused = await request(session, '/test/Refuse', [hello]);
      expect(refused).toMatchObject({ http: 200, status: '5', message: 'nö 100%' });
      const broken = await request(session, '/test/Break', [hello]);
      expect(broken.status).toBe('13');
      expect(broken.message).not.toContain('secret');
      expect((await request(session, '/test/Echo', [])).status).toBe('12');
      expect((await request(session, '/test/Echo', [hello, hello])).status).toBe('12');
      expect((await request(session, '/test/Echo', [withPrefix(Buffer.alloc(50_001))])).status).toBe('8');
    });
  });

  test('a method that is not there; its path comes back whole, in Huffman code or not', async () => {
    const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(index + 33)).join('');
    await withSession(server, async (session) => {
      const answer = await request(session, `/${printable}`, [hello]);
      expect(answer).toMatchObject({ http: 200, status: '12', message: `no method /${printable}` });
    });
  });

  test('what is no gRPC', async () => {
    await withSession(server, async (session) => {
      expect((await request(session, '/test/Echo', [], { 'content-type': 'text/html' })).http).toBe(415);
      expect((await request(session, '/test/Echo', [], { ':method': 'GET' })).http).toBe(405);
    });
  });

  test('kube-apiserver before 1.32 gives the path of the socket as authority', async () => {
    const authority = { ':authority': server.path };
    const answer = await withSession(server, (session) => request(session, '/test/Echo', [hello], authority));
    expect(answer.status).toBe('0');
  });

  test('a call that takes too long', async () => {
    await withSession(server, async (session) => {
      const late = await request(session, '/test/Wait', [hello]);
      expect(late).toMatchObject({ http: 200, status: '4', message: 'no answer within 300 ms' });
      expect((await request(session, '/test/Echo', [hello])).status).toBe('0');
    });
  });

  test('a call without bound outlives those that have one, and holds none of them up', async () => {
    await withSession(server, async (session) => {
      const unbounded = request(session, '/test/Unbounded', [hello]);
      const calls = await Promise.all([1, 2].map(() => request(session, '/test/Wait', [hello])));
      expect(calls.map(({ status }) => status)).toEqual(['4', '4']);
      server.finishWaiting();
      expect(await unbounded).toMatchObject({ status: '0', body: hello });
    });
  });

  test('a client that never ends its request', async () => {
    await withSession(server, async (session) => {
      const stream = session.request({ ':method': 'POST', ':path': '/test/Echo', 'content-type': 'application/grpc' });
      const status = new Promise((resolve) => stream.once('response', (header) => resolve(header['grpc-status'])));
      stream.write(hello.subarray(0, 3));
      expect(await status).toBe('4');
    });
  });

  test('a client that does not want the answer any more', async () => {
    await withSession(server, async (session) => {
      const stream = session.request({ ':method': 'POST', ':path': '/test/Wait', 'content-type': 'application/grpc' });
      stream.end(hello);
      stream.on('error', () => {});
      await request(session, '/test/Echo', [hello]);
      stream.close(constants.NGHTTP2_CANCEL);
      await request(session, '/test/Echo', [hello]);
      server.finishWaiting();
      expect((await request(session, '/test/Wait', [hello])).status).toBe('0');
    });
    expect(server.complaints).toEqual([]);
  });
});

describe('drain', () => {
  test('answers what has begun, takes nothing new, and ends', async () => {
    await withSession(server, async (session) => {
      const waiting = request(session, '/test/Wait', [hello]);
      await request(session, '/test/Echo', [hello]);
      const goneAway = new Promise((resolve) => session.once('goaway', resolve));
      const drained = server.drain(5_000);
      await goneAway;
      await expect(request(session, '/test/Echo', [hello])).rejects.toThrow();
      server.finishWaiting();
      expect(await waiting).toMatchObject({ status: '0', body: hello });
      await drained;
    });
    expect(server.listener.listening).toBe(false);
  });

  test('does not wait longer than its bound', async () => {
    await withSession(server, async (session) => {
      const waiting = request(session, '/test/Wait', [hello]).catch(() => 'broken off');
      await request(session, '/test/Echo', [hello]);
      const begin = performance.now();
      await server.drain(50);
      expect(performance.now() - begin).toBeLessThan(250);
      await waiting;
    });
  });
});

/** A client that says just what it is told to. */
