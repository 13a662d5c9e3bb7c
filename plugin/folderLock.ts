import { stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { waitFor } from '../common/waitFor.ts';

export const listen = (listener: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(path, () => {
      listener.off('error', reject);
      resolve();
    });
  });

/**
 * Lets one plugin at a time, of those that share a network namespace, look at a folder and change it. The lock is a
 * socket in Linux's abstract namespace: it has no file, so that the kernel takes it away with its process.
 */
export const withFolderLock = async <T>(folder: string, work: () => Promise<T>): Promise<T> => {
  const { dev, ino } = await stat(folder);
  const lock = await waitFor(
    async () => {
      const server = createServer();
      await listen(server, `\0understudy-kms-plugin/${dev}/${ino}`);
      return server;
    },
    { what: `the lock on ${folder}`, timeoutMs: 5_000, intervalMs: 5, next: 'see what other plugin is starting there' },
  );
  return work().finally(() => lock.close());
};
