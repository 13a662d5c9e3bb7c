import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { Failure, hasCode, messageOf } from '../../common/failure.ts';
import type { Feed } from './feed.ts';
import { allowedMethods, answerTo, safetyHeaders } from './request.ts';

export interface DashboardServer {
  readonly url: string;
  close(): void;
}

interface PageFile {
  readonly type: string;
  readonly content: Buffer;
}

/** Nobody else on the network may read it. */
const address = '127.0.0.1';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Read once: what is served is what was there at the start, and no request names a path. */
const readPage = async (folder: string): Promise<ReadonlyMap<string, PageFile>> => {
  const names = (await readdir(folder)).filter((name) => types[extname(name)] !== undefined);
  return new Map(
    await Promise.all(
      names.map(async (name): Promise<[string, PageFile]> => {
        const content = await readFile(join(folder, name));
        return [name, { type: types[extname(name)] ?? '', content }];
      }),
    ),
  );
};

/** Looks at several stacks that end within this time are told at once. */
const togetherMs = 100;
/** A page that hears nothing for longer takes the dashboard for gone. */
const heartbeatMs = 1_000;
/** A reader that has this much unread is sent away; it gets all anew when it comes back. Bytes. */
const mostUnread = 4 << 20;

/** Tells a page of all that is known, then of what changes, until it leaves. */
const sendEvents = (response: ServerResponse, feed: Feed): void => {
  let since = 0;
  let soon: NodeJS.Timeout | undefined;
  const send = (): void => {
    clearTimeout(soon);
    soon = undefined;
    const view = feed.view(since);
    response.write(`event: ${since === 0 ? 'all' : 'change'}\ndata: ${JSON.stringify(view)}\n\n`);
    since = view.now;
    if (response.writableLength > mostUnread) response.destroy();
  };
  const unsubscribe = feed.subscribe(() => {
    soon ??= setTimeout(send, togetherMs);
  });
  const heartbeat = setInterval(send, heartbeatMs);
  response.once('close', () => {
    unsubscribe();
    clearInterval(heartbeat);
    clearTimeout(soon);
  });
  send();
};

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });

const cannotListen = (port: number, cause: unknown): Failure =>
  new Failure({
    tried: `serve the dashboard on port ${port}`,
    got: hasCode(cause, 'EADDRINUSE') ? `something else listens on ${address}:${port} already` : messageOf(cause),
    next: "name another port, such as '--port 8089', or '--port 0' for any that is free",
    cause,
  });

const folder = join(import.meta.dirname, 'page');

/**
 * Serves the page to this machine alone.
 * @param port 0 for any that is free
 * @throws Failure that names the port where it cannot be had
 */
export const serveDashboard = async (port: number, feed: Feed): Promise<DashboardServer> => {
  const files = await readPage(folder);
  const names = new Set(files.keys());
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const answer = answerTo({ method, url, host: headers.host }, names);
    for (const [name, value] of Object.entries(safetyHeaders)) response.setHeader(name, value);
    if (answer.kind === 'refused') {
      response.setHeader('content-type', 'text/plain; charset=utf-8');
      if (answer.code === 405) response.setHeader('allow', allowedMethods.join(', '));
      // A body that nobody reads would be taken for the next request.
      response.writeHead(answer.code, { connection: 'close' }).end(`${answer.text}\n`);
    } else if (answer.kind === 'events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (method === 'HEAD') response.end();
      else sendEvents(response, feed);
    } else {
      const file = files.get(answer.name);
      response.writeHead(200, { 'content-type': file?.type ?? '', 'content-length': file?.content.length ?? 0 });
      response.end(method === 'HEAD' ? undefined : file?.content);
    }
  });
  await listen(server, port).catch((cause: unknown) => {
    throw cannotListen(port, cause);
  });
  const bound = server.address();
  return {
    url: `http://${address}:${typeof bound === 'object' && bound !== null ? bound.port : port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
