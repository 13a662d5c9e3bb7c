import { StatusCode, StatusError } from './status.ts';

/** Before each message: one byte that tells whether it is compressed, four of its length. */
export const prefixLength = 5;

export const withPrefix = (message: Uint8Array): Buffer => {
  const framed = Buffer.allocUnsafe(prefixLength + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, prefixLength);
  return framed;
};

/**
 * Looks at what has come of a request so far.
 * @throws StatusError where its message is, or is announced to be, longer than `limit` bytes.
 */
export const checkMessageSize = (received: Buffer, limit: number): void => {
  const announced = received.length >= prefixLength ? received.readUInt32BE(1) : 0;
  // What comes beyond the announced length is refused at the request's end: until then it is only bounded.
  const length = Math.max(announced, received.length - prefixLength);
  if (length > limit) {
    throw new StatusError(StatusCode.RESOURCE_EXHAUSTED, `message of ${length} bytes, the limit is ${limit}`);
  }
};

/**
 * The one message of a request that has come to its end.
 * @throws StatusError where there is none, more than one, a part of one, or a compressed one.
 */
export const onlyMessage = (received: Buffer): Buffer => {
  if (received.length === 0) throw new StatusError(StatusCode.UNIMPLEMENTED, 'the request has no message');
  if (received.length < prefixLength) throw new StatusError(StatusCode.INTERNAL, 'the request ends inside a message');
  if (received[0] !== 0) throw new StatusError(StatusCode.UNIMPLEMENTED, 'compressed messages are not supported');
  const length = received.readUInt32BE(1);
  const message = received.subarray(prefixLength);
  if (message.length < length) throw new StatusError(StatusCode.INTERNAL, 'the request ends inside a message');
  if (message.length > length) throw new StatusError(StatusCode.UNIMPLEMENTED, 'the request has several messages');
  return message;
};
