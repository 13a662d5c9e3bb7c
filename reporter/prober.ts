import { stat } from 'node:fs/promises';
import type { PluginHealth } from '../common/kmsHealth.ts';
import { type KmsClient, kmsClient } from '../protos/kms/v2/client.ts';
import { judge } from './judge.ts';
import type { PluginSocket } from './socket.ts';

export interface Probe {
  readonly report: PluginHealth;
  readonly seconds: number;
}

export interface Prober {
  /** Asks all at once. A failure is a finding: there is one for each socket, in their order. */
  probeAll(sockets: readonly PluginSocket[]): Promise<readonly Probe[]>;
  close(): void;
}

interface OpenClient {
  readonly client: KmsClient;
  /** Which file it is connected to. */
  readonly file: string | undefined;
}

const fileAt = (path: string): Promise<string | undefined> =>
  stat(path, { bigint: true }).then(
    ({ dev, ino, ctimeNs }) => `${dev}:${ino}:${ctimeNs}`,
    () => undefined,
  );

/**
 * @param readTimeoutMs bound on each Status, the time to connect included.
 * @param now the clock of `lastChecked`.
 */
export const createProber = (readTimeoutMs: number, now: () => Date): Prober => {
  const open = new Map<string, OpenClient>();
  const forget = (path: string): void => {
    open.get(path)?.client.close();
    open.delete(path);
  };
  /** A connection is used again only as long as whoever connects now would meet the same socket. */
  const clientOf = async (path: string): Promise<KmsClient> => {
    const file = await fileAt(path);
    const known = open.get(path);
    if (known !== undefined && known.file === file) return known.client;
    forget(path);
    const client = kmsClient(path, readTimeoutMs);
    open.set(path, { client, file });
    return client;
  };
  const probe = async ({ keyID, path }: PluginSocket): Promise<Probe> => {
    const begin = performance.now();
    const lastChecked = now().toISOString();
    const result = await (await clientOf(path)).status();
    // Not left to connect again in the background: the next probe does, if it is to be.
    if (!result.ok) forget(path);
    return { report: judge(keyID, result, lastChecked), seconds: (performance.now() - begin) / 1000 };
  };
  return {
    probeAll: (sockets) => {
      const wanted = new Set(sockets.map(({ path }) => path));
      for (const path of open.keys()) if (!wanted.has(path)) forget(path);
      return Promise.all(sockets.map(probe));
    },
    close: () => {
      for (const path of open.keys()) forget(path);
    },
  };
};
