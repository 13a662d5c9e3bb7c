import { createServer, type Server } from 'node:net';
import { Connection, type ConnectionOptions } from './connection.ts';

export interface GrpcServer {
  /** Not listening yet; whoever made it says where. */
  readonly listener: Server;
  /** Takes no new connection or call, and resolves when all calls under way have been answered or `boundMs` is over. */
  drain(boundMs: number): Promise<void>;
}

/** A gRPC server for unary methods over plain sockets. */
export const createGrpcServer = (options: ConnectionOptions): GrpcServer => {
  const connections = new Set<Connection>();
  const listener = createServer({ noDelay: true }, (socket) => {
    const connection = new Connection(socket, options);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  return {
    listener,
    drain: async (boundMs) => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const connection of connections) connection.drain();
      const bound = setTimeout(() => {
        for (const connection of connections) connection.destroy();
      }, boundMs);
      await closed;
      clearTimeout(bound);
    },
  };
};
