import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import type { Credentials } from './credentials.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With its query, from the root of the server. */
  readonly path: string;
  /** JSON where left out. */
  readonly accept?: string;
  /** JSON where left out. */
  readonly contentType?: string;
  readonly body?: string;
}

export interface ApiAnswer {
  readonly status: number;
  /** Of the header Retry-After. */
  readonly retryAfterSeconds?: number;
  readonly body: string;
}

/** The API server over a few HTTP/2 connections: of what Node has, the least CPU time for a small request. */
export interface ApiClient {
  /**
   * Any HTTP status is an answer.
   * @throws the connection's error where there is none within a minute
   */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** Breaks off what is under way. */
  close(): void;
}

/** As long as kube-apiserver itself works on a request. */
const answerWithinMs = 60_000;

const secondsOf = (header: string | undefined): number | undefined => {
  const seconds = Number(header ?? Number.NaN);
  return seconds >= 0 ? seconds : undefined;
};

/**
 * @param connections kube-apiserver serves each connection's frames one after another, so that one alone is a bottleneck;
 *   and behind a load balancer several reach several API servers
 */
export const apiClient = (credentials: () => Promise<Credentials>, connections: number): ApiClient => {
  const sessions: (ClientHttp2Session | undefined)[] = Array.from({ length: connections });
  let turn = 0;
  let closed = false;

  const sessionAt = (index: number, { server, tls }: Credentials): ClientHttp2Session => {
    const known = sessions[index];
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const session = connect(server, tls);
    // Each request is told of its end by itself.
    session.on('error', () => {});
    // The server goes: what is under way there may end, new requests take a new connection.
    session.on('goaway', () => session.close());
    session.setTimeout(answerWithinMs, () => session.destroy());
    sessions[index] = session;
    return session;
  };

  return {
    send: async ({ method, path, accept = 'application/json', contentType = 'application/json', body }) => {
      const known = await credentials();
      if (closed) throw new Error('closed');
      turn = (turn + 1) % connections;
      const session = sessionAt(turn, known);
      return new Promise((resolve, reject) => {
        const stream = session.request(
          {
            ...known.headers,
            ':method': method,
            ':path': path,
            accept,
            'user-agent': 'kube-apiserver-operator',
            ...(body === undefined ? {} : { 'content-type': contentType }),
          },
          { endStream: body === undefined },
        );
        let headers: IncomingHttpHeaders & { readonly ':status'?: number } = {};
        const chunks: Buffer[] = [];
        // A connection that answers nothing is dead, though nobody said so.
        stream.setTimeout(answerWithinMs, () => session.destroy(new Error(`no answer within ${answerWithinMs} ms`)));
        stream.on('response', (received) => {
          headers = received;
        });
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('error', reject);
        stream.on('close', () => reject(new Error('the connection ended before the answer')));
        stream.on('end', () => {
          const status = headers[':status'];
          if (status === undefined) return;
          resolve({
            status,
            retryAfterSeconds: secondsOf(headers['retry-after']),
            body: Buffer.concat(chunks).toString(),
          });
        });
        stream.end(body);
      });
    },
    close: () => {
      closed = true;
      for (const session of sessions) session?.destroy();
    },
  };
};
