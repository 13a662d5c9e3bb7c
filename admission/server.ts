import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { parseDuration } from '../common/duration.ts';
import { Failure, messageOf } from '../common/failure.ts';
import type { TcpAddress } from '../common/flagValues.ts';
import type { Log } from '../common/log.ts';
import { type Handler, MalformedReview, parseReview, renderReview, type Verdict } from './review.ts';

/** Certificate and key, PEM. */
export interface ServingCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** How a request ended. */
export type Outcome = 'patched' | 'unchanged' | 'warned' | 'refused' | 'malformed' | 'failed';

export interface AdmissionServerOptions {
  readonly address: TcpAddress;
  readonly serving: ServingCertificate;
  /** By path. */
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly answered: (path: string, outcome: Outcome, seconds: number) => void;
  readonly log: Log;
}

export interface AdmissionServer {
  readonly port: number;
  /** New connections get this certificate; those that there are go on. */
  use(serving: ServingCertificate): void;
  /** Answers what it was asked already, for two seconds at most. */
  close(): Promise<void>;
}

/** An API server takes objects of 3 MiB, and sends the old one and the new one. */
const bodyLimit = 8 * 1024 * 1024;
/** Longer than the API server keeps an idle connection, 90 s: one that ended between two requests would fail the second. */
const keepAliveMs = 120_000;
/** Of webhooks that do not say. */
const defaultTimeoutMs = 10_000;
/** For the way there and back. */
const reserveMs = 300;
const closeWithinMs = 2_000;

const secure = { minVersion: 'TLSv1.2' } as const;
const contextOf = ({ certificate, key }: ServingCertificate) => ({ cert: certificate, key, ...secure });

class TooLarge extends Error {}

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > bodyLimit) throw new TooLarge(`the body is longer than ${bodyLimit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** The API server says in the query how long it waits. */
const deadlineOf = (query: URLSearchParams): AbortSignal => {
  const ms = parseDuration(query.get('timeout') ?? '') ?? defaultTimeoutMs;
  return AbortSignal.timeout(Math.max(100, Math.floor(ms) - reserveMs));
};

const outcomeOf = ({ patch = [], warnings = [], refused }: Verdict): Outcome => {
  if (refused !== undefined) return 'refused';
  if (patch.length > 0) return 'patched';
  return warnings.length > 0 ? 'warned' : 'unchanged';
};

const say = (response: ServerResponse, code: number, text: string): void => {
  if (response.destroyed || response.headersSent) return;
  // What was not read of the request would be taken for the next one.
  const headers = { 'content-type': 'text/plain; charset=utf-8', ...(code !== 500 && { connection: 'close' }) };
  response.writeHead(code, headers).end(`${text}\n`);
};

/**
 * Serves AdmissionReviews over TLS. A request that fails is answered so (400, 413, 500 and why), and ends nothing else.
 * @throws Failure where the address cannot be had
 */
export const serveAdmission = async (options: AdmissionServerOptions): Promise<AdmissionServer> => {
  const { address, handlers, answered, log } = options;

  const review = async (path: string, handler: Handler, request: IncomingMessage, response: ServerResponse) => {
    const begun = performance.now();
    const end = (outcome: Outcome): void => answered(path, outcome, (performance.now() - begun) / 1000);
    try {
      const deadline = deadlineOf(new URL(request.url ?? '', 'https://localhost').searchParams);
      const asked = parseReview(await readBody(request));
      const verdict = await handler(asked, deadline);
      response.writeHead(200, { 'content-type': 'application/json' }).end(renderReview(asked.uid, verdict));
      end(outcomeOf(verdict));
      for (const reason of verdict.warnings ?? []) log.warn({ path, reason }, 'admitted with a warning');
    } catch (error) {
      const isMalformed = error instanceof MalformedReview || error instanceof TooLarge;
      end(isMalformed ? 'malformed' : 'failed');
      log.warn({ path, reason: messageOf(error) }, 'could not answer a review');
      if (isMalformed) say(response, error instanceof TooLarge ? 413 : 400, error.message);
      else say(response, 500, messageOf(error));
    }
  };

  const server = createServer({ ...contextOf(options.serving), keepAliveTimeout: keepAliveMs }, (request, response) => {
    response.on('error', () => {});
    const path = request.url?.split('?')[0] ?? '';
    const handler = handlers.get(path);
    if (handler === undefined) say(response, 404, `nothing is served at ${path}`);
    else if (request.method !== 'POST') say(response, 405, 'send an AdmissionReview by POST');
    else void review(path, handler, request, response);
  });
  server.on('tlsClientError', (error) => log.debug({ reason: messageOf(error) }, 'a client gave up its handshake'));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  }).catch((cause: unknown) => {
    throw new Failure({
      tried: `serve admission reviews on ${address.host ?? ''}:${address.port}`,
      got: messageOf(cause),
      next: 'give another --listen-addr',
      cause,
    });
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    use: (serving) => server.setSecureContext(contextOf(serving)),
    close: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.closeAllConnections(), closeWithinMs);
        server.close(() => {
          clearTimeout(force);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
};
