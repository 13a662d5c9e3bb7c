import {
  ConnectionError,
  defaultMaxFrameSize,
  defaultWindowSize,
  ErrorCode,
  encodeFrame,
  FrameType,
  largestWindow,
  resetFrame,
} from './frames.ts';
import type { Header } from './hpack.ts';
import { checkMessageSize, onlyMessage, withPrefix } from './message.ts';
import type { Outbox } from './outbox.ts';
import { failureResponse, httpFailure, okTrailers, responseHead } from './response.ts';
import { StatusCode, StatusError, statusErrorOf } from './status.ts';

/** A response that may take longer than `timeoutMs`: as long as the client waits for it. */
export interface Unbounded {
  readonly response: Promise<Uint8Array>;
}

/** Answers one request message with one response message; what it throws becomes the call's status. */
export type UnaryMethod = (request: Buffer) => Uint8Array | Promise<Uint8Array> | Unbounded;

export interface CallOptions {
  /** By their paths: `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, UnaryMethod>;
  /** Bound on each call from its first frame to its last, milliseconds. */
  readonly timeoutMs: number;
  /** Longest request message, bytes. */
  readonly maxMessageLength: number;
}

/** A call whose answer has not wholly gone out. */
interface Call {
  readonly streamId: number;
  readonly method: UnaryMethod;
  /** When its time is over, on the clock of performance.now(); never, where its response is unbounded. */
  dueAt: number;
  received: Buffer;
  requestEnded: boolean;
  /** What the client lets us send beyond its initial window, less what was sent; bytes. */
  credit: number;
  /** The rest of an answer's DATA; undefined before there is an answer. */
  unsent: Buffer | undefined;
}

const nothing = Buffer.alloc(0);

const checkedWindow = (bytes: number): number => {
  if (bytes > largestWindow) throw new ConnectionError(ErrorCode.flowControl, 'window too large');
  return bytes;
};

/** The calls that are under way on one connection, and the windows of its client that their answers must fit. */
export class Calls {
  readonly #options: CallOptions;
  readonly #outbox: Outbox;
  readonly #onEnd: () => void;
  /** By stream, in the order of their begin, which is the order of `dueAt` too, leaving out those that are never due. */
  readonly #open = new Map<number, Call>();
  #deadline: NodeJS.Timeout | undefined;
  #connectionWindow = defaultWindowSize;
  #initialWindow = defaultWindowSize;

  /** @param onEnd called after the end of each call. */
  constructor(options: CallOptions, outbox: Outbox, onEnd: () => void) {
    this.#options = options;
    this.#outbox = outbox;
    this.#onEnd = onEnd;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Opens a call, or refuses it by an answer at once. */
  begin(streamId: number, header: Header): void {
    const fields = new Map(header);
    const path = fields.get(':path') ?? '';
    const method = this.#options.methods.get(path);
    if (fields.get(':method') !== 'POST') {
      this.#outbox.send(httpFailure(streamId, 405), resetFrame(streamId, ErrorCode.none));
    } else if (!fields.get('content-type')?.startsWith('application/grpc')) {
      this.#outbox.send(httpFailure(streamId, 415), resetFrame(streamId, ErrorCode.none));
    } else if (method === undefined) {
      const error = new StatusError(StatusCode.UNIMPLEMENTED, `no method ${path}`);
      this.#outbox.send(failureResponse(streamId, error), resetFrame(streamId, ErrorCode.none));
    } else {
      const dueAt = performance.now() + this.#options.timeoutMs;
      const state = { received: nothing, requestEnded: false, credit: 0, unsent: undefined };
      this.#open.set(streamId, { streamId, method, dueAt, ...state });
      this.#deadline ??= setTimeout(() => this.#expire(), this.#options.timeoutMs);
    }
  }

  /** Takes a piece of a request. */
  receive(streamId: number, piece: Buffer): void {
    const call = this.#open.get(streamId);
    if (call === undefined || call.requestEnded) return;
    call.received = call.received.length === 0 ? piece : Buffer.concat([call.received, piece]);
    try {
      checkMessageSize(call.received, this.#options.maxMessageLength);
    } catch (error) {
      this.#fail(call, error);
    }
  }

  /** The client has said all of a request: runs its method. */
  run(streamId: number): void {
    const call = this.#open.get(streamId);
    if (call === undefined || call.requestEnded) return;
    call.requestEnded = true;
    try {
      const response = call.method(onlyMessage(call.received));
      if (response instanceof Uint8Array) {
        this.#answer(call, response);
        return;
      }
      if (!(response instanceof Promise)) call.dueAt = Number.POSITIVE_INFINITY;
      const later = response instanceof Promise ? response : response.response;
      later.then(
        (message) => this.#answer(call, message),
        (error: unknown) => this.#fail(call, error),
      );
    } catch (error) {
      this.#fail(call, error);
    }
  }

  /** The client wants no answer any more, or has had it. */
  forget(streamId: number): void {
    if (this.#open.delete(streamId)) this.#onEnd();
  }

  /** The connection is gone, and whoever waited for answers with it. */
  clear(): void {
    clearTimeout(this.#deadline);
    this.#open.clear();
  }

  /**
   * The client takes `bytes` more on one stream, or on the whole connection (0).
   * @throws ConnectionError where that is more than HTTP/2 can count.
   */
  widen(streamId: number, bytes: number): void {
    const call = this.#open.get(streamId);
    if (streamId === 0) this.#connectionWindow = checkedWindow(this.#connectionWindow + bytes);
    else if (call !== undefined) call.credit = checkedWindow(call.credit + bytes);
    this.#sendWaiting();
  }

  /**
   * The client changed the window that each stream begins with; it counts for open streams too.
   * @throws ConnectionError where that is more than HTTP/2 can count.
   */
  setInitialWindow(bytes: number): void {
    this.#initialWindow = checkedWindow(bytes);
    this.#sendWaiting();
  }

  #answer(call: Call, message: Uint8Array): void {
    if (!this.#open.has(call.streamId)) return;
    this.#outbox.send(responseHead(call.streamId));
    call.unsent = withPrefix(message);
    this.#send(call);
  }

  #fail(call: Call, error: unknown): void {
    if (!this.#open.has(call.streamId)) return;
    this.#outbox.send(failureResponse(call.streamId, statusErrorOf(error)));
    if (!call.requestEnded) this.#outbox.send(resetFrame(call.streamId, ErrorCode.none));
    this.forget(call.streamId);
  }

  #sendWaiting(): void {
    for (const call of this.#open.values()) this.#send(call);
  }

  /** Sends as much of an answer as the windows allow. */
  #send(call: Call): void {
    while (call.unsent !== undefined && call.unsent.length > 0) {
      const window = Math.min(this.#connectionWindow, this.#initialWindow + call.credit, defaultMaxFrameSize);
      if (window <= 0) return;
      const data = call.unsent.subarray(0, window);
      this.#outbox.send(encodeFrame(FrameType.data, 0, call.streamId, data));
      this.#connectionWindow -= data.length;
      call.credit -= data.length;
      call.unsent = call.unsent.subarray(data.length);
    }
    if (call.unsent === undefined) return;
    this.#outbox.send(okTrailers(call.streamId));
    this.forget(call.streamId);
  }

  /** Ends the calls whose time is over; those that began later follow in their turn. */
  #expire(): void {
    this.#deadline = undefined;
    for (const call of this.#open.values()) {
      if (call.dueAt === Number.POSITIVE_INFINITY) continue;
      const leftMs = call.dueAt - performance.now();
      if (leftMs > 0) {
        this.#deadline = setTimeout(() => this.#expire(), leftMs);
        return;
      }
      if (call.unsent === undefined) {
        const waited = `no answer within ${this.#options.timeoutMs} ms`;
        this.#fail(call, new StatusError(StatusCode.DEADLINE_EXCEEDED, waited));
      } else {
        this.#outbox.send(resetFrame(call.streamId, ErrorCode.cancel));
        this.forget(call.streamId);
      }
    }
  }
}
