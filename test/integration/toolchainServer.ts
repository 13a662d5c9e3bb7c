import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of releases on loopback that can be told to misbehave. */
export interface ReleaseServer {
  readonly url: string;
  /** Every request so far: its path, and its Range header where it has one. */
  readonly requests: readonly string[];
  /** Serves `content` at a path such as `/releases.example/v1/tool`. */
  put(path: string, content: Buffer | string): void;
  /**
   * Cuts the connection after so many bytes of the body, for the next `times` answers at this path.
   * @param whenKept resolves once the client has kept something from `start` on: what it has not read yet goes with the connection
   */
  cut(path: string, afterBytes: number, times: number, whenKept: (start: number) => Promise<unknown>): void;
  /** Accepts requests and never answers them. */
  hang(): void;
  close(): Promise<void>;
}

export const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

export const startReleaseServer = async (): Promise<ReleaseServer> => {
  const files = new Map<string, Buffer>();
  const cuts = new Map<
    string,
    { readonly afterBytes: number; times: number; readonly whenKept: (start: number) => Promise<unknown> }
  >();
  const requests: string[] = [];
  let hanging = false;

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? '';
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    requests.push(range ? `${path} from ${range[1]}` : path);
    if (hanging) return;
    const content = files.get(path);
    if (content === undefined) return void response.writeHead(404).end();
    const start = Number(range?.[1] ?? 0);
    if (start >= content.length && range) return void response.writeHead(416).end();
    const body = content.subarray(start);
    response.writeHead(range ? 206 : 200, { 'content-length': body.length });
    const cut = cuts.get(path);
    if (cut === undefined || cut.times === 0) return void response.end(body);
    cut.times -= 1;
    response.write(body.subarray(0, cut.afterBytes));
    void cut.whenKept(start).finally(() => response.destroy());
  };

  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    put: (path, content) => files.set(path, Buffer.from(content)),
    cut: (path, afterBytes, times, whenKept) => cuts.set(path, { afterBytes, times, whenKept }),
    hang: () => {
      hanging = true;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
