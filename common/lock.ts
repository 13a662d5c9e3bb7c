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
  let holder = await holdLock(path, ['--nonblock']);
  if (holder === undefined) {
    onWait();
    holder = await holdLock(path, []);
  }
  if (holder === undefined) throw new Error(`flock on ${path} ended without the lock`);
  try {
    return await work();
  } finally {
    await holder.release();
  }
};

interface Holder {
  release(): Promise<void>;
}

const holdLock = (path: string, flags: readonly string[]): Promise<Holder | undefined> =>
  new Promise((resolve, reject) => {
    const child = spawn('flock', ['--exclusive', ...flags, path, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
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
