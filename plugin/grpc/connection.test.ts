import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
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
import { hello, request, startTestServer, type TestServer, withSession } from './testServer.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer();
  return server.remove;
});

/** A client that says just what it is told to. */
class RawClient {
  readonly #socket: Socket;
  readonly #frames: Frame[] = [];
  readonly closed: Promise<void>;

  constructor() {
    this.#socket = connect(server.path);
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
      expect(server.complaints).toHaveLength(1);
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
    const answer = await withSession(server, (session) => request(session, '/test/Echo', [hello]));
    expect(answer.status).toBe('0');
  });
});
