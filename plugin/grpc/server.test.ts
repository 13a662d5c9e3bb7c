import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { UnaryMethod } from './calls.ts';
import {
  clientPreface,
  ErrorCode,
  encodeFrame,
  encodeSettings,
  Flag,
  type Frame,
  FrameReader,
  FrameType,
  Setting,
  windowFrame,
} from './frames.ts';
import { encodeHeader, hpackDecoder } from './hpack.ts';
import { withPrefix } from './message.ts';
import { createGrpcServer, type GrpcServer } from './server.ts';
import { StatusCode, StatusError } from './status.ts';

let path: string;
let server: GrpcServer;
let complaints: string[];
/** Ends the calls of `/test/Wait`. */
let finishWaiting: () => void;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'grpc-'));
  path = join(folder, 'sock');
  complaints = [];
  const waited = new Promise<void>((resolve) => {
    finishWaiting = resolve;
  });
  server = createGrpcServer({
    methods: new Map<string, UnaryMethod>([
      ['/test/Echo', (message) => message],
      ['/test/Wait', (message) => waited.then(() => message)],
      ['/test/Long', () => Buffer.alloc(200_000, 7)],
      [
        '/test/Refuse',
        () => {
          throw new StatusError(StatusCode.NOT_FOUND, 'nö 100%');
        },
      ],
      ['/test/Break', () => Promise.reject(new Error('secret'))],
    ]),
    timeoutMs: 300,
    maxMessageLength: 50_000,
    onConnectionError: (error) => complaints.push(error.message),
  });
  await new Promise<void>((resolve) => server.listener.listen(path, resolve));
  return async () => {
    await server.drain(0);
    await rm(folder, { recursive: true });
  };
});

interface Answer {
  readonly http: number;
  readonly status: string | undefined;
  readonly message: string | undefined;
  readonly body: Buffer;
}

const request = (
  session: ClientHttp2Session,
  method: string,
  pieces: readonly Uint8Array[],
  header: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': method,
      'content-type': 'application/grpc',
      ...header,
    });
    const body: Buffer[] = [];
    let fields: Record<string, unknown> = {};
    stream.on('response', (got) => {
      fields = { ...got };
    });
    stream.on('trailers', (got) => {
      fields = { ...fields, ...got };
    });
    stream.on('data', (chunk: Buffer) => body.push(chunk));
    stream.on('error', reject);
    stream.on('close', () =>
      resolve({
        http: Number(fields[':status']),
        status: fields['grpc-status'] === undefined ? undefined : String(fields['grpc-status']),
        message: fields['grpc-message'] === undefined ? undefined : decodeURIComponent(String(fields['grpc-message'])),
        body: Buffer.concat(body),
      }),
    );
    for (const piece of pieces) stream.write(piece);
    stream.end();
  });

const withSession = async <T>(work: (session: ClientHttp2Session) => Promise<T>, authority = 'http://localhost') => {
  const session = connectHttp2(authority, { createConnection: () => connect(path) });
  session.on('error', () => {});
  try {
    return await work(session);
  } finally {
    session.destroy();
  }
};

const hello = withPrefix(Buffer.from('hello'));

describe('calls by node:http2', () => {
  test('an answer', async () => {
    const answer = await withSession((session) => request(session, '/test/Echo', [hello]));
    expect(answer).toEqual({ http: 200, status: '0', message: undefined, body: hello });
  });

  test('a request in many pieces, and an empty message', async () => {
    const long = withPrefix(Buffer.alloc(50_000, 3));
    const pieces = Array.from({ length: 51 }, (_, index) => long.subarray(index * 1_000, (index + 1) * 1_000));
    await withSession(async (session) => {
      expect((await request(session, '/test/Echo', pieces)).body).toEqual(long);
      expect((await request(session, '/test/Echo', [withPrefix(Buffer.alloc(0))])).status).toBe('0');
    });
  });

  test('many at once, more bytes than any window, with headers that fill the table', async () => {
    const long = withPrefix(Buffer.alloc(20_000, 4));
    await withSession(async (session) => {
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          request(session, '/test/Echo', [long], { 'grpc-timeout': `${index}m`, [`x-${index}`]: 'ÿ¡~{|}'.repeat(9) }),
        ),
      );
      for (const answer of answers) expect(answer.body).toEqual(long);
    });
  });

  test('an answer that has to wait for the windows', async () => {
    const answer = await withSession((session) => request(session, '/test/Long', [hello]));
    expect(answer).toMatchObject({ status: '0', body: withPrefix(Buffer.alloc(200_000, 7)) });
  });

  test('failures', async () => {
    await withSession(async (session) => {
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
    await withSession(async (session) => {
      const answer = await request(session, `/${printable}`, [hello]);
      expect(answer).toMatchObject({ http: 200, status: '12', message: `no method /${printable}` });
    });
  });

  test('what is no gRPC', async () => {
    await withSession(async (session) => {
      expect((await request(session, '/test/Echo', [], { 'content-type': 'text/html' })).http).toBe(415);
      expect((await request(session, '/test/Echo', [], { ':method': 'GET' })).http).toBe(405);
    });
  });

  test('kube-apiserver before 1.32 gives the path of the socket as authority', async () => {
    const authority = { ':authority': path };
    const answer = await withSession((session) => request(session, '/test/Echo', [hello], authority));
    expect(answer.status).toBe('0');
  });

  test('a call that takes too long', async () => {
    await withSession(async (session) => {
      const late = await request(session, '/test/Wait', [hello]);
      expect(late).toMatchObject({ http: 200, status: '4', message: 'no answer within 300 ms' });
      expect((await request(session, '/test/Echo', [hello])).status).toBe('0');
    });
  });

  test('a client that never ends its request', async () => {
    await withSession(async (session) => {
      const stream = session.request({ ':method': 'POST', ':path': '/test/Echo', 'content-type': 'application/grpc' });
      const status = new Promise((resolve) => stream.once('response', (header) => resolve(header['grpc-status'])));
      stream.write(hello.subarray(0, 3));
      expect(await status).toBe('4');
    });
  });

  test('a client that does not want the answer any more', async () => {
    await withSession(async (session) => {
      const stream = session.request({ ':method': 'POST', ':path': '/test/Wait', 'content-type': 'application/grpc' });
      stream.end(hello);
      stream.on('error', () => {});
      await request(session, '/test/Echo', [hello]);
      stream.close(constants.NGHTTP2_CANCEL);
      await request(session, '/test/Echo', [hello]);
      finishWaiting();
      expect((await request(session, '/test/Wait', [hello])).status).toBe('0');
    });
    expect(complaints).toEqual([]);
  });
});

describe('drain', () => {
  test('answers what has begun, takes nothing new, and ends', async () => {
    await withSession(async (session) => {
      const waiting = request(session, '/test/Wait', [hello]);
      await request(session, '/test/Echo', [hello]);
      const goneAway = new Promise((resolve) => session.once('goaway', resolve));
      const drained = server.drain(5_000);
      await goneAway;
      await expect(request(session, '/test/Echo', [hello])).rejects.toThrow();
      finishWaiting();
      expect(await waiting).toMatchObject({ status: '0', body: hello });
      await drained;
    });
    expect(server.listener.listening).toBe(false);
  });

  test('does not wait longer than its bound', async () => {
    await withSession(async (session) => {
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
class RawClient {
  readonly #socket: Socket;
  readonly #frames: Frame[] = [];
  readonly closed: Promise<void>;

  constructor() {
    this.#socket = connect(path);
    // The server's side has no preface: the reader gets one from here.
    const reader = new FrameReader();
    for (const _ of reader.push(clientPreface)) throw new Error('a preface is no frame');
    this.#socket.on('data', (chunk: Buffer) => this.#frames.push(...reader.push(chunk)));
    this.#socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  send(...parts: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(parts));
  }

  /** The next frame of this type. */
  async next(type: number): Promise<Frame> {
    for (;;) {
      const index = this.#frames.findIndex((frame) => frame.type === type);
      const [frame] = index < 0 ? [] : this.#frames.splice(0, index + 1).slice(-1);
      if (frame !== undefined) return frame;
      await new Promise((resolve) => this.#socket.once('data', resolve));
    }
  }

  /** Frames that have come and have not been asked for. */
  get rest(): readonly Frame[] {
    return this.#frames;
  }

  end(): void {
    this.#socket.destroy();
  }
}

const nothing = Buffer.alloc(0);
const settings = encodeFrame(FrameType.settings, 0, 0, nothing);
const echo = encodeHeader([
  [':method', 'POST'],
  [':path', '/test/Echo'],
  ['content-type', 'application/grpc'],
]);
const echoHeaders = (streamId: number, flags = 0): Buffer =>
  encodeFrame(FrameType.headers, Flag.endHeaders | flags, streamId, echo);
const helloData = (streamId: number): Buffer => encodeFrame(FrameType.data, Flag.endStream, streamId, hello);

describe('frame by frame', () => {
  const conversation = async (work: (client: RawClient) => Promise<void>): Promise<void> => {
    const client = new RawClient();
    try {
      await work(client);
    } finally {
      client.end();
    }
  };

  test('greets, and acknowledges settings and pings', () =>
    conversation(async (client) => {
      expect((await client.next(FrameType.settings)).flags).toBe(0);
      client.send(clientPreface, settings, encodeFrame(FrameType.ping, 0, 0, Buffer.from('12345678')));
      expect((await client.next(FrameType.settings)).flags).toBe(Flag.acknowledge);
      expect(await client.next(FrameType.ping)).toMatchObject({
        flags: Flag.acknowledge,
        payload: Buffer.from('12345678'),
      });
    }));

  test('a header in CONTINUATION frames, with padding and priority; frames of unknown types', () =>
    conversation(async (client) => {
      const first = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 9]), echo.subarray(0, 4), Buffer.alloc(2)]);
      client.send(
        clientPreface,
        settings,
        encodeFrame(0xaa, 0xff, 1, Buffer.from('?')),
        encodeFrame(FrameType.headers, Flag.padded | Flag.priority, 1, first),
        encodeFrame(FrameType.continuation, 0, 1, echo.subarray(4, 9)),
        encodeFrame(FrameType.continuation, Flag.endHeaders, 1, echo.subarray(9)),
        encodeFrame(FrameType.data, Flag.padded, 1, Buffer.from([3, ...hello.subarray(0, 4), 0, 0, 0])),
        encodeFrame(FrameType.data, Flag.endStream, 1, hello.subarray(4)),
      );
      expect((await client.next(FrameType.data)).payload).toEqual(hello);
    }));

  test('trailers of a client end its request', () =>
    conversation(async (client) => {
      client.send(
        clientPreface,
        settings,
        echoHeaders(1),
        encodeFrame(FrameType.data, 0, 1, hello),
        encodeFrame(FrameType.headers, Flag.endHeaders | Flag.endStream, 1, encodeHeader([['x', 'y']])),
      );
      expect((await client.next(FrameType.data)).payload).toEqual(hello);
    }));

  test('windows of a few bytes, changed while an answer waits', () =>
    conversation(async (client) => {
      const window = (bytes: number): Buffer =>
        encodeFrame(FrameType.settings, 0, 0, encodeSettings([[Setting.initialWindowSize, bytes]]));
      client.send(clientPreface, window(2), echoHeaders(1), helloData(1));
      expect((await client.next(FrameType.data)).payload).toEqual(hello.subarray(0, 2));
      client.send(windowFrame(1, 1));
      expect((await client.next(FrameType.data)).payload).toEqual(hello.subarray(2, 3));
      client.send(window(0), windowFrame(1, 1));
      client.send(window(5));
      expect((await client.next(FrameType.data)).payload).toEqual(hello.subarray(3, 7));
      client.send(windowFrame(1, 100));
      expect((await client.next(FrameType.data)).payload).toEqual(hello.subarray(7));
      const trailers = await client.next(FrameType.headers);
      expect(trailers.flags).toBe(Flag.endHeaders | Flag.endStream);
      expect(hpackDecoder(1_000).decode(trailers.payload)).toEqual([['grpc-status', '0']]);
    }));

  test('a client that asks much and lets nothing be sent is told so in time', () =>
    conversation(async (client) => {
      const noWindow = encodeFrame(FrameType.settings, 0, 0, encodeSettings([[Setting.initialWindowSize, 0]]));
      client.send(clientPreface, noWindow, echoHeaders(1), helloData(1));
      const reset = await client.next(FrameType.resetStream);
      expect(reset.payload.readUInt32BE(0)).toBe(ErrorCode.cancel);
    }));

  test('more calls at once than are allowed', () =>
    conversation(async (client) => {
      client.send(clientPreface, settings);
      for (let index = 0; index <= 1024; index++) client.send(echoHeaders(2 * index + 1));
      const reset = await client.next(FrameType.resetStream);
      expect(reset).toMatchObject({ streamId: 2049 });
      expect(reset.payload.readUInt32BE(0)).toBe(ErrorCode.refusedStream);
      client.send(helloData(2047));
      expect(await client.next(FrameType.data)).toMatchObject({ streamId: 2047, payload: hello });
    }));

  test('what comes for a call that was answered already is ignored', () =>
    conversation(async (client) => {
      client.send(clientPreface, settings, echoHeaders(1), helloData(1), helloData(1), windowFrame(1, 5));
      client.send(encodeFrame(FrameType.resetStream, 0, 1, Buffer.alloc(4)), echoHeaders(3), helloData(3));
      expect((await client.next(FrameType.data)).streamId).toBe(1);
      expect((await client.next(FrameType.data)).streamId).toBe(3);
    }));

  const maxWindow = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
  test.each<readonly [string, ErrorCode, readonly Uint8Array[]]>([
    ['another protocol', ErrorCode.protocol, [Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')]],
    ['a first frame that is not SETTINGS', ErrorCode.protocol, [clientPreface, echoHeaders(1)]],
    ['a stream of the server', ErrorCode.protocol, [clientPreface, settings, echoHeaders(2)]],
    ['stream 0', ErrorCode.protocol, [clientPreface, settings, echoHeaders(0)]],
    ['DATA on stream 0', ErrorCode.protocol, [clientPreface, settings, helloData(0)]],
    ['DATA before HEADERS', ErrorCode.protocol, [clientPreface, settings, helloData(1)]],
    ['PUSH_PROMISE', ErrorCode.protocol, [clientPreface, settings, encodeFrame(FrameType.pushPromise, 4, 1, echo)]],
    [
      'CONTINUATION of nothing',
      ErrorCode.protocol,
      [clientPreface, settings, encodeFrame(FrameType.continuation, 4, 1, echo)],
    ],
    [
      'another frame inside a header',
      ErrorCode.protocol,
      [clientPreface, settings, encodeFrame(FrameType.headers, 0, 1, echo), helloData(1)],
    ],
    [
      'a header without an end',
      ErrorCode.enhanceYourCalm,
      [
        clientPreface,
        settings,
        encodeFrame(FrameType.headers, 0, 1, echo),
        encodeFrame(FrameType.continuation, 0, 1, Buffer.alloc(16_000)),
        encodeFrame(FrameType.continuation, 0, 1, Buffer.alloc(16_000)),
      ],
    ],
    [
      'a broken header',
      ErrorCode.compression,
      [clientPreface, settings, encodeFrame(FrameType.headers, 4, 1, Buffer.from([0xff]))],
    ],
    ['a window by nothing', ErrorCode.protocol, [clientPreface, settings, windowFrame(0, 0)]],
    [
      'a window beyond the largest',
      ErrorCode.flowControl,
      [clientPreface, settings, encodeFrame(FrameType.windowUpdate, 0, 0, maxWindow)],
    ],
    [
      'an initial window beyond the largest',
      ErrorCode.flowControl,
      [clientPreface, encodeFrame(FrameType.settings, 0, 0, encodeSettings([[Setting.initialWindowSize, 0x80000000]]))],
    ],
    [
      'a cut WINDOW_UPDATE',
      ErrorCode.frameSize,
      [clientPreface, settings, encodeFrame(FrameType.windowUpdate, 0, 0, Buffer.alloc(3))],
    ],
    ['a long PING', ErrorCode.frameSize, [clientPreface, settings, encodeFrame(FrameType.ping, 0, 0, Buffer.alloc(9))]],
    ['cut SETTINGS', ErrorCode.frameSize, [clientPreface, encodeFrame(FrameType.settings, 0, 0, Buffer.alloc(5))]],
    ['silence', ErrorCode.protocol, []],
    ['half a preface', ErrorCode.protocol, [clientPreface.subarray(0, 10)]],
  ])('%s ends the connection', (_name, code, parts) =>
    conversation(async (client) => {
      client.send(...parts);
      const goAway = await client.next(FrameType.goAway);
      expect(goAway.payload.readUInt32BE(4)).toBe(code);
      await client.closed;
      expect(complaints).toHaveLength(1);
    }),
  );

  test('no bytes, however wrong, end the server', async () => {
    // A linear congruential generator: the same bytes in each run.
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % below;
    };
    const randomBytes = (): Buffer => Buffer.from(Array.from({ length: random(40) }, () => random(256)));
    for (let round = 0; round < 150; round++) {
      const client = new RawClient();
      client.send(clientPreface, settings);
      for (let count = 0; count < 20; count++) {
        client.send(encodeFrame(random(11), random(64), random(8), random(3) === 0 ? echo : randomBytes()));
      }
      client.send(randomBytes());
      await sleep(0);
      client.end();
      await client.closed;
    }
    const answer = await withSession((session) => request(session, '/test/Echo', [hello]));
    expect(answer.status).toBe('0');
  });
});
