import { encodeFrame, Flag, FrameType } from './frames.ts';
import { encodeHeader, type Header } from './hpack.ts';
import { encodeStatusMessage, StatusCode, type StatusError } from './status.ts';

const responseHeader: Header = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
];

const headersFrame = (flags: number, streamId: number, header: Header): Buffer =>
  encodeFrame(FrameType.headers, Flag.endHeaders | flags, streamId, encodeHeader(header));

const headTemplate = headersFrame(0, 0, responseHeader);
const okTemplate = headersFrame(Flag.endStream, 0, [['grpc-status', String(StatusCode.OK)]]);

const forStream = (template: Buffer, streamId: number): Buffer => {
  const frame = Buffer.from(template);
  frame.writeUInt32BE(streamId, 5);
  return frame;
};

/** The frame before a response's message. */
export const responseHead = (streamId: number): Buffer => forStream(headTemplate, streamId);

/** The frame after a response's message. */
export const okTrailers = (streamId: number): Buffer => forStream(okTemplate, streamId);

/** A failed call's whole answer. */
export const failureResponse = (streamId: number, { code, message }: StatusError): Buffer =>
  headersFrame(Flag.endStream, streamId, [
    ...responseHeader,
    ['grpc-status', String(code)],
    ['grpc-message', encodeStatusMessage(message)],
  ]);

/** The whole answer to a request that is not gRPC. */
export const httpFailure = (streamId: number, status: 405 | 415): Buffer =>
  headersFrame(Flag.endStream, streamId, [[':status', String(status)]]);
