import { readFile } from 'node:fs/promises';
import { messageOf } from '../common/failure.ts';
import { type PluginSocket, socketsOf, socketsProblem } from './socket.ts';

/** Where it is known from which sockets there are to be. */
export interface SocketSource {
  /** Those of now; undefined as long as it has never been known. */
  current(): Promise<readonly PluginSocket[] | undefined>;
}

export const fixedSockets = (sockets: readonly PluginSocket[]): SocketSource => ({
  current: () => Promise.resolve(sockets),
});

const endpointsIn = (content: string): readonly string[] =>
  content
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/**
 * A file with an endpoint a line, read whenever it is asked for. While it cannot be read, or is none, those before count.
 * @param failed told why, once for a row of failures.
 */
export const socketsInFile = (path: string, failed: (reason: string) => void): SocketSource => {
  let known: readonly PluginSocket[] | undefined;
  let failing = false;
  return {
    current: async () => {
      try {
        const endpoints = endpointsIn(await readFile(path, 'utf8'));
        const problem = socketsProblem(endpoints);
        if (problem !== undefined) throw new Error(problem);
        known = socketsOf(endpoints);
        failing = false;
      } catch (error) {
        if (!failing) failed(messageOf(error));
        failing = true;
      }
      return known;
    },
  };
};
