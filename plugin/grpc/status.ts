/** The codes of gRPC by their names (grpc.io, 'Status codes'). */
export const StatusCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode];

/** `INVALID_ARGUMENT`, … */
export const codeName = (code: StatusCode): string =>
  Object.entries(StatusCode).find(([, value]) => value === code)?.[0] ?? String(code);

/** A call's failure that its caller gets to see. The message must hold nothing secret. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: StatusCode;

  constructor(code: StatusCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What the caller is told of anything that a method threw: of errors that it does not expect, nothing but that. */
export const statusErrorOf = (thrown: unknown): StatusError =>
  thrown instanceof StatusError
    ? thrown
    : new StatusError(StatusCode.INTERNAL, 'internal error of the plugin, see its log', { cause: thrown });

/** A message as `grpc-message` carries it: bytes beyond printable ASCII, and the percent sign, as %XX. */
export const encodeStatusMessage = (message: string): string =>
  Array.from(Buffer.from(message), (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x25
      ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte),
  ).join('');
