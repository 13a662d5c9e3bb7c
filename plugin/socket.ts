import { randomBytes } from 'node:crypto';
import { chmod, link, lstat, mkdir, rm } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { Failure, hasCode, messageOf } from '../common/failure.ts';
import { listen, withFolderLock } from './folderLock.ts';

/** A listening unix socket that others find at its path. */
export interface ClaimedSocket {
  /** Takes the path away, unless another process has put its own socket there. The listener is not closed. */
  release(): Promise<void>;
}

/** What is at a path: `stale` is a socket that no process listens on any more. */
const probe = (path: string): Promise<'live' | 'stale' | 'gone'> =>
  new Promise((resolve, reject) => {
    const client = connect(path);
    client.once('connect', () => {
      client.destroy();
      resolve('live');
    });
    client.once('error', (error) => {
      if (hasCode(error, 'ECONNREFUSED')) resolve('stale');
      else if (hasCode(error, 'ENOENT')) resolve('gone');
      // Its queue of new connections is full: somebody is there.
      else if (hasCode(error, 'EAGAIN')) resolve('live');
      else reject(error);
    });
  });

/** Gives what listens at `mine` the name `path` too, in place of at most a stale socket. */
const publish = async (mine: string, path: string): Promise<void> => {
  const there = await lstat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (there !== undefined) {
    if (!there.isSocket()) throw new Error('there is something there that is no socket');
    if ((await probe(path)) === 'live') {
      throw new Failure({
        tried: `listen on ${path}`,
        got: 'another process listens there',
        next: 'stop the other plugin, or give this one another --listen-addr',
      });
    }
    await rm(path, { force: true });
  }
  await link(mine, path);
};

const inodeOf = async (path: string): Promise<number | undefined> => {
  try {
    return (await lstat(path)).ino;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};

/**
 * Makes `listener` listen at `path`: mode 0600, in a directory that is made (0700) where it is missing. A stale socket
 * there is replaced, a live one never.
 * @throws Failure
 */
export const claimSocket = async (listener: Server, path: string): Promise<ClaimedSocket> => {
  const folder = dirname(path);
  // Bound under a short name of its own, the socket gets its mode before anybody can find it; and Node, which removes
  // the name it has bound when it closes, will not remove what may by then belong to another plugin.
  const mine = join(folder, `.${randomBytes(3).toString('hex')}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await listen(listener, mine);
    await chmod(mine, 0o600);
    const inode = await inodeOf(mine);
    try {
      await withFolderLock(folder, () => publish(mine, path));
    } finally {
      await rm(mine, { force: true });
    }
    return {
      release: async () => {
        if ((await inodeOf(path)) === inode) await rm(path, { force: true });
      },
    };
  } catch (error) {
    listener.close();
    if (error instanceof Failure) throw error;
    throw new Failure({
      tried: `listen on ${path}`,
      got: messageOf(error),
      next: 'see that its directory can be written by this user and that nothing else has that name',
      cause: error,
    });
  }
};
