import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UnaryMethod } from './calls.ts';
import { withPrefix } from './message.ts';
import { createGrpcServer, type GrpcServer } from './server.ts';
import { StatusCode, StatusError } from './status.ts';

/** A server with one method for each way that a call can go. */
export interface TestServer extends GrpcServer {
  readonly path: string;
  /** Why connections were ended. */
  readonly complaints: readonly string[];
  /** Lets the calls of `/test/Wait` and `/test/Unbounded` go on. */
  finishWaiting(): void;
  remove(): Promise<void>;
}

/** @param timeoutMs short, so that what is to time out does so soon. */
export const startTestServer = async (timeoutMs = 300): Promise<TestServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'grpc-'));
  const path = join(folder, 'sock');
  const complaints: string[] = [];
  let finishWaiting = (): void => {};
  const waited = new Promise<void>((resolve) => {
    finishWaiting = resolve;
  });
  const methods = new Map<string, UnaryMethod>([
    ['/test/Echo', (message) => message],
    ['/test/Wait', (message) => waited.then(() => message)],
    ['/test/Unbounded', (message) => ({ response: waited.then(() => message) })],
    ['/test/Long', () => Buffer.alloc(200_000, 7)],
    [
      '/test/Refuse',
      () => {
        throw new StatusError(StatusCode.NOT_FOUND, 'nö 100%');
      },
    ],
    ['/test/Break', () => Promise.reject(new Error('secret'))],
  ]);
  const server = createGrpcServer({
    methods,
    timeoutMs,
    maxMessageLength: 50_000,
    onConnectionError: (error) => complaints.push(error.message),
  });
  await new Promise<void>((resolve) => server.listener.listen(path, resolve));
  return {
    ...server,
    path,
    complaints,
    finishWaiting,
    remove: async () => {
      await server.drain(0);
      await rm(folder, { recursive: true });
    },
  };
};

export interface Answer {
  readonly http: number;
  readonly status: string | undefined;
  readonly message: string | undefined;
  readonly body: Buffer;
}

/** One call by node:http2, whose message may be cut into pieces. */
export const request = (
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

export const withSession = async <T>(
  { path }: TestServer,
  work: (session: ClientHttp2Session) => Promise<T>,
): Promise<T> => {
  const session = connectHttp2('http://localhost', { createConnection: () => connect(path) });
  session.on('error', () => {});
  try {
    return await work(session);
  } finally {
    session.destroy();
  }
};

export const hello = withPrefix(Buffer.from('hello'));
