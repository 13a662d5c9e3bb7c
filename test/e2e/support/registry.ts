import { exec } from '../../../common/exec.ts';
import { silentProgress } from '../../../common/progress.ts';
import { ensurePrograms } from '../../../toolchain/index.ts';
import { type RegistryServer, serveRegistry, user } from '../../tools/registryServer.ts';
import type { Box } from './boxes.ts';

/** A registry that nobody can use but {@link user}. */
export interface PrivateRegistry extends RegistryServer {
  /** Puts an image of the box's containerd into it. @returns its reference there */
  push(image: string, repository: string): Promise<string>;
}

/** Starts one at 127.0.0.1 of a box: containerd speaks plain HTTP to registries at its own loopback. */
export const startRegistry = async (box: Box, port = 5000): Promise<PrivateRegistry> => {
  const [{ ctr }, pid] = await Promise.all([ensurePrograms(['ctr'], silentProgress), box.pid()]);
  const server = await serveRegistry({ port, networkOf: pid });
  const images = (...args: readonly string[]): Promise<string> =>
    exec(ctr, ['--address', `/proc/${pid}/root/run/containerd/containerd.sock`, '-n', 'k8s.io', 'images', ...args]);
  return {
    ...server,
    push: async (image, repository) => {
      const reference = `${server.host}/${repository}`;
      await images('tag', image, reference);
      await images('push', '--plain-http', '--user', `${user.name}:${user.password}`, reference);
      await images('rm', reference);
      return reference;
    },
  };
};
