import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Runs `work` while holding an exclusive lock on `path`, between processes. The kernel holds it for a child that
 * lives as long as a pipe from this process, so the lock ends with this process however it ends (kill -9 too).
 * @param onWait called once where another holder has to be waited for.
 */
export const withLock = async <T>(path: string, work: () => Promise<T>, onWait: () => void = () => {}): Promise<T> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const holder = (await holdLock(path, ['--nonblock'])) ?? (await waitForLock(path, onWait));
  try {
    return await work();
  } finally {
    await holder.release();
  }
};

interface Holder {
  release(): Promise<void>;
}

/**
 * Locks descriptor 9, and says so only if the file is still the one of that name: the last holder may have removed it
 * while this one waited, and somebody else may have made another.
 */
const holdScript =
  'exec 9> "$0"; flock --exclusive "$@" 9 && [ "$0" -ef /proc/self/fd/9 ] && echo held && exec cat > /dev/null';

const holdLock = (path: string, flags: readonly string[]): Promise<Holder | undefined> =>
  new Promise((resolve, reject) => {
    const child = spawn('bash', ['--norc', '-c', holdScript, path, ...flags], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // A Ctrl-C at the terminal goes to the whole group: the lock must outlive it until the work has ended.
      detached: true,
    });
    const ended = new Promise<void>((done) => child.once('close', () => done()));
    child.once('error', reject);
    child.stdout.once('data', () => {
      resolve({
        release: () => {
          child.stdin.end();
          return ended;
        },
      });
    });
    ended.then(() => resolve(undefined));
  });

const waitForLock = async (path: string, onWait: () => void): Promise<Holder> => {
  onWait();
  for (;;) {
    const holder = await holdLock(path, []);
    if (holder !== undefined) return holder;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  }
};
