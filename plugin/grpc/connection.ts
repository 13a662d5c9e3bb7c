import type { Socket } from 'node:net';
import { type CallOptions, Calls } from './calls.ts';
import {
  ConnectionError,
  contentOf,
  decodeSettings,
  defaultWindowSize,
  ErrorCode,
  encodeFrame,
  encodeSettings,
  Flag,
  type Frame,
  FrameReader,
  FrameType,
  goAwayFrame,
  hasFlag,
  largestWindow,
  resetFrame,
  Setting,
  windowFrame,
} from './frames.ts';
import { hpackDecoder } from './hpack.ts';
import { HpackError } from './huffman.ts';
import { Outbox } from './outbox.ts';

export interface ConnectionOptions extends CallOptions {
  /** Told why a connection was ended: because of what its client sent, or of a mistake here, which is then its cause. */
  readonly onConnectionError: (error: ConnectionError) => void;
}

const maxConcurrentCalls = 1024;
const maxHeaderSize = 16_384;

const connectionErrorOf = (thrown: unknown): ConnectionError => {
  if (thrown instanceof ConnectionError) return thrown;
  if (thrown instanceof HpackError) return new ConnectionError(ErrorCode.compression, thrown.message);
  // Other clients are not to suffer for it.
  return new ConnectionError(ErrorCode.internal, 'mistake in the plugin', { cause: thrown });
};

/**
 * One client's HTTP/2 connection (RFC 9113), as much of it as unary gRPC calls need: what the client says is checked
 * here and handed to `Calls`. docs/plugin.md says why this is not node:http2.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #outbox: Outbox;
  readonly #calls: Calls;
  readonly #frames = new FrameReader();
  readonly #hpack = hpackDecoder(maxHeaderSize);
  readonly #greeting: NodeJS.Timeout;
  #greeted = false;
  #ending = false;
  #lastStreamId = 0;
  /** A header block that is complete only with the CONTINUATION frames to come. */
  #openBlock: { readonly streamId: number; readonly endStream: boolean; readonly block: Buffer } | undefined;
  /** Bytes of DATA that the client has not been given back yet. */
  #consumed = 0;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#outbox = new Outbox(socket);
    this.#calls = new Calls(options, this.#outbox, () => this.#endIfDone());
    this.#greeting = setTimeout(
      () => this.#fail(new ConnectionError(ErrorCode.protocol, `no greeting within ${options.timeoutMs} ms`)),
      options.timeoutMs,
    );
    const settings = encodeSettings([
      [Setting.maxConcurrentStreams, maxConcurrentCalls],
      [Setting.maxHeaderListSize, maxHeaderSize],
    ]);
    this.#outbox.send(encodeFrame(FrameType.settings, 0, 0, settings));
    socket.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    // A client that breaks off is its own affair: 'close' follows, and nobody waits for the answers.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(this.#greeting);
      this.#calls.clear();
    });
  }

  /** Takes no new call, answers those that have begun, then ends the connection. */
  drain(): void {
    this.#end(ErrorCode.none);
  }

  /** Breaks off whatever is under way. */
  destroy(): void {
    this.#socket.destroy();
  }

  #end(code: ErrorCode): void {
    this.#ending = true;
    this.#outbox.send(goAwayFrame(this.#lastStreamId, code));
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#ending || this.#calls.count > 0) return;
    this.#outbox.flush();
    this.#socket.destroySoon();
  }

  #fail(error: ConnectionError): void {
    this.#options.onConnectionError(error);
    this.#calls.clear();
    this.#end(error.code);
  }

  #onChunk(chunk: Buffer): void {
    if (this.#socket.writableEnded) return;
    try {
      for (const frame of this.#frames.push(chunk)) this.#onFrame(frame);
    } catch (error) {
      this.#fail(connectionErrorOf(error));
      return;
    }
    if (this.#consumed < defaultWindowSize / 4) return;
    this.#outbox.send(windowFrame(0, this.#consumed));
    this.#consumed = 0;
  }

  #onFrame(frame: Frame): void {
    if (!this.#greeted && frame.type !== FrameType.settings) {
      throw new ConnectionError(ErrorCode.protocol, 'the first frame is not SETTINGS');
    }
    if (this.#openBlock !== undefined && frame.type !== FrameType.continuation) {
      throw new ConnectionError(ErrorCode.protocol, 'another frame inside a header block');
    }
    switch (frame.type) {
      case FrameType.data:
        this.#onData(frame);
        break;
      case FrameType.headers:
        this.#onHeaders(frame.streamId, hasFlag(frame, Flag.endStream), frame, contentOf(frame));
        break;
      case FrameType.continuation:
        this.#onContinuation(frame);
        break;
      case FrameType.resetStream:
        this.#calls.forget(frame.streamId);
        break;
      case FrameType.settings:
        this.#onSettings(frame);
        break;
      case FrameType.ping:
        this.#onPing(frame);
        break;
      case FrameType.windowUpdate:
        this.#onWindowUpdate(frame);
        break;
      case FrameType.pushPromise:
        throw new ConnectionError(ErrorCode.protocol, 'PUSH_PROMISE from a client');
      default:
      // PRIORITY and GOAWAY ask for nothing here; what is not known has to be ignored.
    }
  }

  #onHeaders(streamId: number, endStream: boolean, frame: Frame, block: Buffer): void {
    if (block.length > maxHeaderSize) throw new ConnectionError(ErrorCode.enhanceYourCalm, 'header too long');
    if (hasFlag(frame, Flag.endHeaders)) this.#onBlock(streamId, endStream, block);
    else this.#openBlock = { streamId, endStream, block };
  }

  #onContinuation(frame: Frame): void {
    const open = this.#openBlock;
    if (open === undefined || open.streamId !== frame.streamId) {
      throw new ConnectionError(ErrorCode.protocol, 'CONTINUATION of nothing');
    }
    this.#openBlock = undefined;
    this.#onHeaders(open.streamId, open.endStream, frame, Buffer.concat([open.block, frame.payload]));
  }

  #onBlock(streamId: number, endStream: boolean, block: Buffer): void {
    if (streamId % 2 === 0) throw new ConnectionError(ErrorCode.protocol, `HEADERS on stream ${streamId}`);
    // Each block is decoded, of refused streams too: it changes the table that later blocks refer to.
    const header = this.#hpack.decode(block);
    if (streamId > this.#lastStreamId) {
      // GOAWAY has told the client that this stream will not be served.
      if (this.#ending) return;
      this.#lastStreamId = streamId;
      if (this.#calls.count < maxConcurrentCalls) this.#calls.begin(streamId, header);
      else this.#outbox.send(resetFrame(streamId, ErrorCode.refusedStream));
    }
    if (endStream) this.#calls.run(streamId);
  }

  #onData(frame: Frame): void {
    if (frame.streamId === 0 || (frame.streamId > this.#lastStreamId && !this.#ending)) {
      throw new ConnectionError(ErrorCode.protocol, `DATA on idle stream ${frame.streamId}`);
    }
    this.#consumed += frame.payload.length;
    this.#calls.receive(frame.streamId, contentOf(frame));
    if (hasFlag(frame, Flag.endStream)) this.#calls.run(frame.streamId);
    else if (frame.payload.length > 0) this.#outbox.send(windowFrame(frame.streamId, frame.payload.length));
  }

  #onSettings(frame: Frame): void {
    this.#greeted = true;
    clearTimeout(this.#greeting);
    if (hasFlag(frame, Flag.acknowledge)) return;
    for (const [setting, value] of decodeSettings(frame.payload)) {
      if (setting === Setting.initialWindowSize) this.#calls.setInitialWindow(value);
    }
    this.#outbox.send(encodeFrame(FrameType.settings, Flag.acknowledge, 0, Buffer.alloc(0)));
  }

  #onPing(frame: Frame): void {
    if (hasFlag(frame, Flag.acknowledge)) return;
    if (frame.payload.length !== 8) throw new ConnectionError(ErrorCode.frameSize, 'PING of a wrong length');
    this.#outbox.send(encodeFrame(FrameType.ping, Flag.acknowledge, 0, frame.payload));
  }

  #onWindowUpdate(frame: Frame): void {
    if (frame.payload.length !== 4) throw new ConnectionError(ErrorCode.frameSize, 'WINDOW_UPDATE of a wrong length');
    const increment = frame.payload.readUInt32BE(0) & largestWindow;
    if (increment === 0) throw new ConnectionError(ErrorCode.protocol, 'WINDOW_UPDATE by nothing');
    this.#calls.widen(frame.streamId, increment);
  }
}
