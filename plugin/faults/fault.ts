import * as z from 'zod/mini';
import { StatusCode } from '../grpc/status.ts';

/** The methods of KMS v2, as a fault names them. */
export const faultMethods = ['status', 'encrypt', 'decrypt'] as const;

export type FaultMethod = (typeof faultMethods)[number];

/** A code that a call can fail with, by its name. */
export type ErrorCode = Exclude<keyof typeof StatusCode, 'OK'>;

/** The longest delay, and the longest that a fault may be asked to last, milliseconds: 24 h. */
export const longestFaultMs = 24 * 3_600_000;

/** Percent-encoded three times as long, a message still fits one frame of HTTP/2. Characters. */
const longestMessage = 1024;
const mostPerSecond = 1_000_000;
/** A call a day. */
const leastPerSecond = 1000 / longestFaultMs;

const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && value !== 'OK' && Object.hasOwn(StatusCode, value);

/** The sixteen of gRPC. */
export const errorCodes: readonly ErrorCode[] = Object.keys(StatusCode).filter(isErrorCode);

const methodSchema = z.enum(faultMethods, `must be one of ${faultMethods.join(', ')}`);
const codeSchema = z.custom<ErrorCode>(isErrorCode, `must be one of ${errorCodes.join(', ')}`);
const messageError = `must be a text of 1 to ${longestMessage} characters`;
const messageSchema = z
  .string(messageError)
  .check(z.minLength(1, messageError), z.maxLength(longestMessage, messageError));
const millisecondsError = `must be a whole number from 1 to ${longestFaultMs} (24 h)`;
const millisecondsSchema = z
  .int(millisecondsError)
  .check(z.gte(1, millisecondsError), z.lte(longestFaultMs, millisecondsError));
const perSecondError = `must be a number above 0, from one a day (${leastPerSecond.toFixed(7)}) to ${mostPerSecond}`;
const perSecondSchema = z
  .number(perSecondError)
  .check(z.gte(leastPerSecond, perSecondError), z.lte(mostPerSecond, perSecondError));

/** By field names. */
type Shape = Readonly<Record<string, z.core.SomeType>>;

const name = z
  .string('must be a name')
  .check(z.regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a name: a-z, 0-9 and dashes, 63 characters at most'));

const timeError = 'must be a time as RFC 3339 writes it: 2026-11-21T09:00:00Z';
const isTime = (text: string): boolean => z.iso.datetime({ offset: true }).safeParse(text).success;
/** RFC 3339 has small letters too, and so lets them in whoever checked a KMSBackend. */
const timeSchema = z.string(timeError).check(z.toUpperCase(), z.refine(isTime, timeError));

const commonFields = {
  /** Key number; 0 is the plain plugin on `socket.sock`. Every key where absent. */
  key: z.optional(z.int('must be a key number').check(z.gte(0, 'must be a key number, 0 or above'))),
  /** RFC 3339. Until it is cleared where absent. */
  until: z.optional(timeSchema),
};

const kind = <const Name extends string, Fields extends Shape>(
  name: Name,
  description: string,
  methods: readonly FaultMethod[],
  fields: Fields,
) => ({
  name,
  /** One line, for `--help` and docs. */
  description,
  /** The methods it touches; none where it touches the socket. */
  methods,
  /** Its fields beside `key` and `until`, and whether they must be there. */
  fields: Object.entries<z.core.SomeType>(fields).map(([field, type]) => ({
    name: field,
    required: !(type instanceof z.ZodMiniOptional),
  })),
  schema: <Extra extends Shape>(extra: Extra) => {
    const shape = { kind: z.literal(name), ...commonFields, ...extra, ...fields };
    const known = Object.keys(shape).join(', ');
    return z.strictObject(shape, {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? `${name} has no ${issue.keys.join(', ')}, only ${known}`
          : 'must be an object',
    });
  },
});

const everyMethod = faultMethods;
const method = z.optional(methodSchema);

const latency = kind('latency', 'answers late by so many milliseconds', everyMethod, {
  milliseconds: millisecondsSchema,
  method,
});
const hang = kind('hang', 'never answers', everyMethod, { method });
const rateLimit = kind('rate-limit', 'refuses calls beyond so many per second (RESOURCE_EXHAUSTED)', everyMethod, {
  perSecond: perSecondSchema,
  method,
});
const error = kind('error', 'fails with a gRPC code', everyMethod, {
  code: codeSchema,
  message: z.optional(messageSchema),
  method,
});
const decryptOnly = kind('decrypt-only', 'fails Decrypt alone (PERMISSION_DENIED)', ['decrypt'], {});
const unhealthy = kind('unhealthy', "Status answers, but healthz is not 'ok'", ['status'], {});
const wrongVersion = kind('wrong-version', 'Status says a version that is not KMS v2', ['status'], {});
const flipFlop = kind('flip-flop-key-id', 'the key_id changes to and fro with each Status', ['status', 'encrypt'], {});
const mismatched = kind('mismatched-key-id', "Encrypt's key_id is not that of Status", ['encrypt'], {});
const empty = kind('empty-key-id', 'the key_id is empty', ['status', 'encrypt'], {});
const oversized = kind('oversized-key-id', 'the key_id has 1025 bytes, one too many', ['status', 'encrypt'], {});
const missingSocket = kind('missing-socket', 'the socket is not there', [], {});

/** Every kind of fault, in the order in which several at once take effect on a call. */
export const faultKinds = [
  missingSocket,
  latency,
  rateLimit,
  hang,
  error,
  decryptOnly,
  unhealthy,
  wrongVersion,
  flipFlop,
  mismatched,
  empty,
  oversized,
] as const;

export type FaultKind = (typeof faultKinds)[number]['name'];

/** Faults with further fields. */
const schemaWith = <Extra extends Shape>(extra: Extra) =>
  z.discriminatedUnion(
    'kind',
    [
      missingSocket.schema(extra),
      latency.schema(extra),
      rateLimit.schema(extra),
      hang.schema(extra),
      error.schema(extra),
      decryptOnly.schema(extra),
      unhealthy.schema(extra),
      wrongVersion.schema(extra),
      flipFlop.schema(extra),
      mismatched.schema(extra),
      empty.schema(extra),
      oversized.schema(extra),
    ],
    {
      error: (issue) =>
        issue.code === 'invalid_union'
          ? `must be one of ${faultKinds.map(({ name }) => name).join(', ')}`
          : 'must be an object',
    },
  );

/** A fault as the plugin is told of it, in `wish.json`. */
export const faultSchema = schemaWith({ name });

/** A fault as a KMSBackend has it under its name; on every node where `node` is absent. */
export const backendFaultSchema = schemaWith({ node: z.optional(z.string().check(z.minLength(1))) });

export type Fault = z.infer<typeof faultSchema>;

export type BackendFault = z.infer<typeof backendFaultSchema>;

/** What is wrong with a fault that a schema refused, for its user: `milliseconds must be …; code must be …`. */
export const faultProblem = ({ issues }: z.core.$ZodError): string =>
  issues.map(({ path, message }) => [...path.map(String), message].join(' ')).join('; ');
