import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { hasCode } from './failure.ts';
import { type Connection, openConnection } from './kubeConnection.ts';

/** Kubernetes' answer to a request that it did not do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  /** `reason` of the Status object: `NotFound`, `AlreadyExists`, `Conflict`, … */
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export const isApiError = (thrown: unknown, code: number): boolean =>
  thrown instanceof ApiError && thrown.code === code;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** `application/json` where left out. */
  readonly contentType?: string;
  /** Media type of the answer; whatever the server likes where left out. */
  readonly accept?: string;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** Where an API server is, and who asks. */
export interface KubeAccess {
  /** `https://<host>:<port>` */
  readonly server: string;
  /** TLS settings and headers, asked for with each request. */
  credentials(): Promise<RequestOptions>;
}

/** One API server, asked as one user. */
export interface KubeClient {
  readonly server: string;
  /** @throws ApiError on any status but 2xx; a socket's error where there is no answer. */
  send<Answer>(request: ApiRequest): Promise<Answer>;
  /** Server-side apply with force. @throws as {@link send}. */
  apply<Answer>(
    path: string,
    fieldManager: string,
    body: object,
    more?: Pick<ApiRequest, 'query' | 'accept' | 'signal'>,
  ): Promise<Answer>;
  /** A GET's lines as they come, until the server, `signal` or a silence of `quietMs` ends it. @throws as {@link send}. */
  lines(
    path: string,
    query: Readonly<Record<string, string>>,
    quietMs: number,
    signal: AbortSignal,
  ): AsyncIterable<string>;
  /** Opens a connection of its own; `session` as in {@link Connection.session}. */
  connect(session?: Buffer): Promise<Connection>;
  close(): void;
}

const answerWithinMs = 10_000;

const errorOf = (status: number, body: string): ApiError => {
  try {
    const { reason, message } = JSON.parse(body) as { readonly reason?: string; readonly message?: string };
    return new ApiError(status, reason ?? '', message ?? body);
  } catch {
    return new ApiError(status, '', `${status} ${body.slice(0, 300)}`.trim());
  }
};

const isOk = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300;

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

export const kubeClient = ({ server, credentials }: KubeAccess): KubeClient => {
  const agent = new Agent({ keepAlive: true });

  const call = async (wanted: ApiRequest, options: RequestOptions, fresh = false): Promise<IncomingMessage> => {
    const { method, path, query = {}, body, contentType = 'application/json', accept, signal } = wanted;
    const url = new URL(path, server);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const identity = await credentials();
    const headers = {
      ...identity.headers,
      ...(body && { 'content-type': contentType }),
      ...(accept && { accept }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        { ...identity, agent, timeout: answerWithinMs, ...(signal && { signal }), ...options, method, headers },
        resolve,
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer from ${server} in time`)));
      outgoing.on('error', (error) => {
        // The connection was closed while it lay idle: nobody has seen the request.
        if (!fresh && outgoing.reusedSocket && hasCode(error, 'ECONNRESET')) {
          call(wanted, { ...options, agent: false }, true).then(resolve, reject);
        } else reject(error);
      });
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  };

  const sendOnce = async (
    wanted: ApiRequest,
  ): Promise<{ readonly response: IncomingMessage; readonly body: string }> => {
    const response = await call(wanted, {});
    return { response, body: await text(response) };
  };

  const send = async <Answer>(wanted: ApiRequest): Promise<Answer> => {
    const { response, body } = await sendOnce(wanted).catch((error: unknown) => {
      // An API server has handed over to the next one, which is there already.
      if (wanted.method === 'GET' && hasCode(error, 'ECONNRESET')) return sendOnce(wanted);
      throw error;
    });
    if (!isOk(response)) throw errorOf(response.statusCode ?? 0, body);
    return JSON.parse(body) as Answer;
  };

  return {
    server,
    send,
    apply: (path, fieldManager, body, { query, ...more } = {}) =>
      send({
        ...more,
        method: 'PATCH',
        path,
        query: { ...query, fieldManager, force: 'true' },
        body,
        contentType: 'application/apply-patch+yaml',
      }),
    lines: async function* (path, query, quietMs, signal) {
      // A watch keeps its connection; by an agent's it would take one from the others for good.
      const response = await call({ method: 'GET', path, query }, { agent: false, timeout: quietMs, signal });
      if (!isOk(response)) throw errorOf(response.statusCode ?? 0, await text(response));
      yield* linesOf(response);
    },
    connect: async (session) => openConnection(new URL(server), await credentials(), session),
    close: () => agent.destroy(),
  };
};
