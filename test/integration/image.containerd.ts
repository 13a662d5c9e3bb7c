import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { exec } from '../../common/exec.ts';
import { writeFileWhole } from '../../common/files.ts';
import { silentProgress } from '../../common/progress.ts';
import { waitFor } from '../../common/waitFor.ts';
import { type Containerd, ctrArgs } from '../../image/load.ts';
import { ensurePrograms } from '../../toolchain/index.ts';

/** A real containerd of this test alone, in a mount namespace of its own as in a node. */
export interface StartedContainerd {
  /** As the host sees it. */
  readonly containerd: Containerd;
  /** Runs ctr inside the namespace and returns its standard output. */
  ctr(...command: string[]): Promise<string>;
  /** Ends it and removes all that it wrote. */
  stop(): Promise<void>;
}

const socket = '/run/containerd/containerd.sock';

const configuration = (root: string): string => `version = 3
root = '${root}'
disabled_plugins = ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime', 'io.containerd.nri.v1.nri']
[plugins.'io.containerd.internal.v1.opt']
path = '${root}/opt'
`;

export const startContainerd = async (): Promise<StartedContainerd> => {
  const programs = await ensurePrograms(['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc'], silentProgress);
  const folders = Object.values(programs).map((path) => dirname(path));
  const env = { ...process.env, PATH: [...folders, process.env.PATH].join(':') };
  const dir = await mkdtemp(join(tmpdir(), 'understudy-containerd-'));
  const configPath = join(dir, 'config.toml');
  await writeFileWhole(configPath, configuration(join(dir, 'root')));
  const logPath = join(dir, 'log');
  const log = await open(logPath, 'w');
  // Its sockets and state in /run vanish with the namespace, and it ends with this process however that ends.
  const script = 'mount -t tmpfs tmpfs /run && exec setpriv --pdeathsig KILL "$0" --config "$1"';
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, programs.containerd, configPath];
  const child = spawn('unshare', args, { env, stdio: ['ignore', log.fd, log.fd] });
  const ended = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await log.close();
    await rm(dir, { recursive: true, force: true });
  };
  const containerd = { ctr: programs.ctr, address: `/proc/${child.pid}/root${socket}` };
  try {
    await waitFor(() => exec(programs.ctr, ctrArgs(containerd.address, ['version'])), {
      what: 'containerd answer',
      timeoutMs: 20_000,
      next: 'read what it says',
    });
  } catch (cause) {
    const said = await readFile(logPath, 'utf8');
    await stop();
    throw new Error(`containerd did not start; it says:\n${said}`, { cause });
  }
  const enter = ['--target', `${child.pid}`, '--mount', programs.ctr];
  return { containerd, ctr: (...command) => exec('nsenter', [...enter, ...ctrArgs(socket, command)], { env }), stop };
};
