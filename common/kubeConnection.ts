import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';

/** A connection of its own, so with one process, also where several share a port. */
export interface Connection {
  /**
   * Whether the process took the TLS session that it was offered. Only the process that gave a session can: its key is in
   * that process' memory. So an answer to 'who are you' for the price of a handshake.
   */
  readonly sessionReused: boolean;
  /** A TLS session of this process; undefined before it has answered anything. */
  session(): Buffer | undefined;
  /**
   * @param lines only what this matches is kept of a long body; multi-line and global.
   * @throws where the connection has ended, or nothing comes within 10 s.
   */
  ask(path: string, lines?: RegExp): Promise<{ readonly status: number; readonly body: string }>;
  close(): void;
}

const answerWithinMs = 10_000;
const connectWithinMs = 2_000;

/** Has one connection, and makes no second. */
class OneConnection extends Agent {
  #socket: TLSSocket | undefined;

  constructor(socket: TLSSocket) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(): TLSSocket {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) throw new Error('the connection has ended');
    return socket;
  }
}

/** Goes through a body piece by piece: metrics are 1.6 MB of which a few lines matter. */
const matchingLines = async (response: IncomingMessage, lines: RegExp): Promise<string> => {
  response.setEncoding('utf8');
  const found: string[] = [];
  let rest = '';
  for await (const chunk of response) {
    const known = `${rest}${chunk}`;
    const end = known.lastIndexOf('\n') + 1;
    found.push(...(known.slice(0, end).match(lines) ?? []));
    rest = known.slice(end);
  }
  return [...found, ...(rest.match(lines) ?? [])].join('\n');
};

const handshake = (server: URL, identity: RequestOptions, session: Buffer | undefined): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const { ca, cert, key, rejectUnauthorized } = identity;
    const socket = connect({
      host: server.hostname,
      port: Number(server.port || 443),
      ALPNProtocols: ['http/1.1'],
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
      ...(session && { session }),
    });
    socket.setTimeout(connectWithinMs, () => socket.destroy(new Error(`no TLS with ${server.host} in time`)));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
  });

export const openConnection = async (
  server: URL,
  identity: RequestOptions,
  offered: Buffer | undefined,
): Promise<Connection> => {
  const socket = await handshake(server, identity, offered);
  // An idle connection may end at any time; the next question says so.
  socket.on('error', () => {});
  let given: Buffer | undefined;
  socket.on('session', (session: Buffer) => {
    given = session;
  });
  const agent = new OneConnection(socket);
  return {
    sessionReused: socket.isSessionReused(),
    session: () => given,
    ask: async (path, lines) => {
      // A request on a socket that has ended already would hear of nothing.
      if (socket.destroyed) throw new Error(`${server.host} has ended the connection`);
      const { headers } = identity;
      const signal = AbortSignal.timeout(answerWithinMs);
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const outgoing = request(new URL(path, server), { agent, signal, ...(headers && { headers }) }, resolve);
        outgoing.on('error', reject);
        outgoing.end();
      });
      return {
        status: response.statusCode ?? 0,
        body: await (lines === undefined ? text(response) : matchingLines(response, lines)),
      };
    },
    close: () => {
      agent.destroy();
      socket.destroy();
    },
  };
};
