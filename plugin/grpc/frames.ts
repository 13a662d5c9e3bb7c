/** RFC 9113, section 6. */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = { endStream: 0x1, acknowledge: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** RFC 9113, section 6.5.2. */
export const Setting = {
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** RFC 9113, section 7. */
export const ErrorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** Why a connection has to end: GOAWAY with this code. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface Frame {
  /** One of FrameType, or a type that is not known and has to be ignored. */
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export const hasFlag = (frame: Frame, flag: number): boolean => (frame.flags & flag) !== 0;

export const frameHeaderLength = 9;

/** SETTINGS_MAX_FRAME_SIZE where nothing else was agreed, and the least that may be; bytes. */
export const defaultMaxFrameSize = 16_384;

/** SETTINGS_INITIAL_WINDOW_SIZE where nothing else was agreed, bytes. */
export const defaultWindowSize = 65_535;

/** The most that a flow-control window can hold, bytes. */
export const largestWindow = 0x7fffffff;

/** What a client says first. */
export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Writes a frame's header into `target` and returns the offset after it. */
export const writeFrameHeader = (
  target: Buffer,
  offset: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number => {
  target.writeUIntBE(length, offset, 3);
  target[offset + 3] = type;
  target[offset + 4] = flags;
  return target.writeUInt32BE(streamId, offset + 5);
};

export const encodeFrame = (type: number, flags: number, streamId: number, payload: Uint8Array): Buffer => {
  const frame = Buffer.allocUnsafe(frameHeaderLength + payload.length);
  frame.set(payload, writeFrameHeader(frame, 0, payload.length, type, flags, streamId));
  return frame;
};

const encodeNumbers = (...numbers: readonly number[]): Buffer => {
  const payload = Buffer.allocUnsafe(numbers.length * 4);
  numbers.forEach((number, index) => {
    payload.writeUInt32BE(number, index * 4);
  });
  return payload;
};

export const resetFrame = (streamId: number, code: ErrorCode): Buffer =>
  encodeFrame(FrameType.resetStream, 0, streamId, encodeNumbers(code));

export const goAwayFrame = (lastStreamId: number, code: ErrorCode): Buffer =>
  encodeFrame(FrameType.goAway, 0, 0, encodeNumbers(lastStreamId, code));

/** @param streamId 0 for the whole connection. */
export const windowFrame = (streamId: number, increment: number): Buffer =>
  encodeFrame(FrameType.windowUpdate, 0, streamId, encodeNumbers(increment));

/** Payload of SETTINGS. */
export const encodeSettings = (settings: readonly (readonly [id: number, value: number])[]): Buffer =>
  Buffer.concat(
    settings.map(([id, value]) => {
      const entry = Buffer.allocUnsafe(6);
      entry.writeUInt32BE(value, entry.writeUInt16BE(id, 0));
      return entry;
    }),
  );

/** Identifiers and values in the payload of SETTINGS. */
export const decodeSettings = (payload: Buffer): readonly (readonly [id: number, value: number])[] => {
  if (payload.length % 6 !== 0) throw new ConnectionError(ErrorCode.frameSize, 'SETTINGS of a wrong length');
  return Array.from({ length: payload.length / 6 }, (_, index) => [
    payload.readUInt16BE(index * 6),
    payload.readUInt32BE(index * 6 + 2),
  ]);
};

/** What a DATA or HEADERS frame carries, without its padding and its priority. */
export const contentOf = (frame: Frame): Buffer => {
  const padded = hasFlag(frame, Flag.padded);
  const start = (padded ? 1 : 0) + (frame.type === FrameType.headers && hasFlag(frame, Flag.priority) ? 5 : 0);
  const end = frame.payload.length - (padded ? (frame.payload[0] ?? 0) : 0);
  if (start > end) throw new ConnectionError(ErrorCode.protocol, 'padding longer than its frame');
  return frame.payload.subarray(start, end);
};

const nothing = Buffer.alloc(0);

/** Cuts what arrives on one connection into frames, after the client's preface. */
export class FrameReader {
  #rest: Buffer = nothing;
  #prefaceSeen = false;

  /**
   * All frames that are complete once `chunk` has come.
   * @throws ConnectionError on anything that is not HTTP/2, and on a frame above the size that was agreed.
   */
  *push(chunk: Buffer): Generator<Frame> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    if (!this.#prefaceSeen) {
      const seen = bytes.subarray(0, clientPreface.length);
      if (!seen.equals(clientPreface.subarray(0, seen.length))) {
        throw new ConnectionError(ErrorCode.protocol, 'not an HTTP/2 client');
      }
      this.#prefaceSeen = seen.length === clientPreface.length;
      at = this.#prefaceSeen ? clientPreface.length : bytes.length;
    }
    while (bytes.length - at >= frameHeaderLength) {
      const length = bytes.readUIntBE(at, 3);
      if (length > defaultMaxFrameSize) throw new ConnectionError(ErrorCode.frameSize, `frame of ${length} bytes`);
      const end = at + frameHeaderLength + length;
      if (end > bytes.length) break;
      yield {
        type: bytes.readUInt8(at + 3),
        flags: bytes.readUInt8(at + 4),
        streamId: bytes.readUInt32BE(at + 5) & 0x7fffffff,
        payload: bytes.subarray(at + frameHeaderLength, end),
      };
      at = end;
    }
    this.#rest = !this.#prefaceSeen ? bytes : at === bytes.length ? nothing : bytes.subarray(at);
  }
}
