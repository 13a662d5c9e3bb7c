import type { Logger } from 'pino';
import type { Fault } from './faults/fault.ts';
import { withFaults } from './faults/faultyService.ts';
import { createGrpcServer, type GrpcServer } from './grpc/server.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import type { KeySource } from './keySource.ts';
import { kmsMethods, type OnCall } from './methods.ts';
import { createKmsService } from './service.ts';
import { type ClaimedSocket, claimSocket } from './socket.ts';
import type { WantedKey } from './wish.ts';

/** The keys that are served, each on a socket of its own. */
export interface ServedKeys {
  /**
   * Serves what is wanted and nothing else. Every key is tried, whatever becomes of the others. Not to be called again before it resolves.
   * @returns why a key is not served as it is wanted, by key number.
   */
  converge(wanted: readonly WantedKey[]): Promise<ReadonlyMap<number, unknown>>;
  /** The key ID that Status answers now, by key number. */
  keyIds(): ReadonlyMap<number, string>;
  /** Takes all sockets away, and resolves when calls under way are answered or `timeoutMs` is over. */
  stop(): Promise<void>;
}

export interface ServingOptions {
  /** Bound on each call, milliseconds. */
  readonly timeoutMs: number;
  /** Those of all keys, at the time of the call. */
  readonly faults: () => readonly Fault[];
  readonly onCall: OnCall;
  readonly log: Logger;
}

/** Longest request: a ciphertext, a key ID, annotations (32 KiB by kube-apiserver's limits) and room for their tags; bytes. */
const longestRequest = 48 * 1024;

interface ServedKey {
  readonly keyring: Keyring;
  readonly server: GrpcServer;
  readonly socket: ClaimedSocket;
}

export const createServedKeys = (source: KeySource, options: ServingOptions): ServedKeys => {
  const { timeoutMs, faults, onCall, log } = options;
  const served = new Map<number, ServedKey>();
  const draining = new Set<Promise<void>>();

  const start = async ({ number, socketPath }: WantedKey): Promise<void> => {
    const keyring = createKeyring(source.seed, number, source.version(number));
    const server = createGrpcServer({
      methods: kmsMethods(number, withFaults(createKmsService(keyring), number, faults), onCall),
      timeoutMs,
      maxMessageLength: longestRequest,
      onConnectionError: ({ message, cause }) =>
        cause === undefined
          ? log.warn({ key: number, reason: message }, 'ended a connection')
          : log.error({ key: number, reason: message, err: cause }, 'ended a connection'),
    });
    const socket = await claimSocket(server.listener, socketPath);
    // Too many open files, say: whoever is connected goes on being served.
    server.listener.on('error', ({ message }) =>
      log.error({ key: number, reason: message }, 'could not accept a connection'),
    );
    served.set(number, { keyring, server, socket });
    log.info({ key: number, socket: socketPath, keyId: keyring.writeKek.keyId }, 'serving key');
  };

  const end = async (number: number, { server, socket }: ServedKey): Promise<void> => {
    served.delete(number);
    await socket.release();
    const drained = server.drain(timeoutMs).finally(() => draining.delete(drained));
    draining.add(drained);
    log.info({ key: number }, 'serving key no more');
  };

  const rotate = (number: number, { keyring }: ServedKey): void => {
    keyring.raise(source.version(number));
    log.info({ key: number, keyId: keyring.writeKek.keyId }, 'rotated key');
  };

  /** A key whose new version cannot be noted goes on with the one that it has. */
  const serve = async (key: WantedKey): Promise<void> => {
    const { number, version } = key;
    const isNew = version > source.version(number);
    try {
      if (isNew) await source.raise(number, version);
    } finally {
      const serving = served.get(number);
      if (serving === undefined) await start(key);
      else if (isNew) rotate(number, serving);
    }
  };

  return {
    converge: async (wanted) => {
      const failures = new Map<number, unknown>();
      const attempt = (number: number, work: Promise<void>): Promise<void> =>
        work.catch((error: unknown) => {
          failures.set(number, error);
        });
      const numbers = new Set(wanted.map(({ number }) => number));
      for (const [number, key] of [...served]) {
        if (!numbers.has(number)) await attempt(number, end(number, key));
      }
      for (const key of wanted) await attempt(key.number, serve(key));
      return failures;
    },
    keyIds: () => new Map([...served].map(([number, { keyring }]) => [number, keyring.writeKek.keyId])),
    stop: async () => {
      for (const [number, key] of [...served]) await end(number, key);
      await Promise.all(draining);
    },
  };
};
