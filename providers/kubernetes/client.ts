import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMap, type PropertyMap } from '../protocol/values.ts';
import type { KubeConnection } from './kubeconfig.ts';
import { numberAt, stringAt } from './objects.ts';

/** An answer of the API server that is not a success. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status code. */
  readonly code: number;
  /** `NotFound`, `AlreadyExists`, `Conflict`, … */
  readonly reason: string;

  constructor(code: number, status: PropertyMap) {
    super(stringAt(status, 'message') ?? `HTTP status ${code}`);
    this.code = code;
    this.reason = stringAt(status, 'reason') ?? '';
  }
}

/** No answer at all. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export const isNotFound = (thrown: unknown): boolean => thrown instanceof ApiError && thrown.code === 404;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the server: `/api/v1/namespaces/default/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** JSON where left out. */
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

export interface ApiAnswer {
  readonly body: PropertyMap;
  /** What the server has to say about the request: fields it does not know, versions that will go. */
  readonly warnings: readonly string[];
}

/** The API server over kept-alive connections. */
export interface KubeClient {
  /** @throws ApiError, Unreachable */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** An answer that is text, such as a log. @throws as {@link send} */
  text(request: ApiRequest): Promise<string>;
  /** Events of a watch, until the server ends it. @throws ApiError, Unreachable */
  watch(path: string, query: ApiRequest['query'], signal: AbortSignal): AsyncGenerator<PropertyMap>;
  close(): void;
}

const connectTimeoutMs = 10_000;
/** How often a request is sent again that the server puts off (as client-go does): it is starting, or busy. */
const maxPutOffs = 10;
const idleTimeoutMs = 60_000;

const readText = async (response: IncomingMessage): Promise<string> => {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
};

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

const parseBody = (text: string): PropertyMap => {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as PropertyMap) : {};
  } catch {
    return { message: text.trim() };
  }
};

const warningsOf = (response: IncomingMessage): string[] =>
  [...(response.headers.warning ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replaceAll('\\"', '"'),
  );

/** Seconds after which a request that was not processed should be sent again. */
const retryAfter = ({ statusCode, headers }: IncomingMessage): number | undefined => {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return (statusCode === 429 || statusCode === 503) && seconds >= 0 ? seconds : undefined;
};

const open = (
  target: URL,
  options: RequestOptions,
  body: string | undefined,
  idleMs: number,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const call = request(target, { ...options, timeout: connectTimeoutMs }, resolve);
    call.on('socket', (socket) => {
      const connected = (): unknown => call.setTimeout(idleMs);
      if (socket.connecting) socket.once('secureConnect', connected);
      else connected();
    });
    call.on('timeout', () => call.destroy(new Error('timed out')));
    call.on('error', (error) => {
      // The server may close an idle connection in the moment that it is used again; nothing was processed then.
      if (call.reusedSocket && 'code' in error && error.code === 'ECONNRESET') {
        open(target, options, body, idleMs).then(resolve, reject);
        return;
      }
      reject(error);
    });
    call.end(body);
  });

export const kubeClient = (connection: KubeConnection): KubeClient => {
  const agent = new Agent({ keepAlive: true });

  const call = async (
    { method, path, query = {}, body, contentType = 'application/json', signal }: ApiRequest,
    idleMs: number,
    accept = 'application/json',
  ): Promise<IncomingMessage> => {
    const target = new URL(connection.server + path);
    for (const [key, value] of Object.entries(query)) if (value !== undefined) target.searchParams.set(key, value);
    const credentials = await connection.credentials();
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      accept,
      ...credentials.headers,
      ...(content === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(content) }),
    };
    try {
      return await open(target, { ...credentials, method, headers, agent, signal }, content, idleMs);
    } catch (error) {
      if (signal.aborted) throw error;
      throw new Unreachable(`the API server at ${connection.server} does not answer: ${describeNetworkError(error)}`, {
        cause: error,
      });
    }
  };

  return {
    send: async (apiRequest) => {
      for (let putOffs = 0; ; putOffs += 1) {
        const response = await call(apiRequest, idleTimeoutMs);
        const body = parseBody(await readText(response));
        const code = response.statusCode ?? 0;
        if (code >= 200 && code <= 299) return { body, warnings: warningsOf(response) };
        const seconds = retryAfter(response);
        if (seconds === undefined || putOffs === maxPutOffs) throw new ApiError(code, body);
        await sleep(seconds * 1000, undefined, { signal: apiRequest.signal });
      }
    },
    text: async (apiRequest) => {
      const response = await call(apiRequest, idleTimeoutMs, '*/*');
      const text = await readText(response);
      if (response.statusCode === 200) return text;
      throw new ApiError(response.statusCode ?? 0, parseBody(text));
    },
    async *watch(path, query, signal) {
      const response = await call({ method: 'GET', path, query: { ...query, watch: '1' }, signal }, 0);
      const code = response.statusCode ?? 0;
      if (code !== 200) throw new ApiError(code, parseBody(await readText(response)));
      try {
        for await (const line of linesOf(response)) {
          const event = parseBody(line);
          const object = event.object;
          if (event.type === 'ERROR' && isMap(object)) throw new ApiError(numberAt(object, 'code') ?? 500, object);
          yield event;
        }
      } finally {
        response.destroy();
      }
    },
    close: () => agent.destroy(),
  };
};

const describeNetworkError = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  // Where a name has several addresses, each has an error and the whole has no text.
  const [first] = error instanceof AggregateError ? error.errors : [];
  return error.message || (first instanceof Error ? first.message : error.name);
};
