import { spawn } from 'node:child_process';
import { mkdir, open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../common/exec.ts';
import { waitFor } from '../../common/waitFor.ts';
import type { BuiltImage } from '../../image/build.ts';
import { ctrArgs, imageArchive } from '../../image/load.ts';

/** An image and the name that it is asked for by. */
export interface NamedImage {
  readonly image: BuiltImage;
  readonly name: string;
}

/** A containerd with nothing but its store: no CRI, no network. */
const storeConfiguration = `version = 3
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]
`;

/**
 * Puts images into the containerd of the node at `root`, by a containerd that runs for the moment on this machine.
 * They stay packed, as in kind's own node images: the node unpacks what it starts.
 * @param work a folder of this run alone
 */
export const preloadImages = async (
  root: string,
  programs: { readonly containerd: string; readonly ctr: string },
  images: readonly NamedImage[],
  work: string,
): Promise<void> => {
  const state = join(work, 'containerd');
  const address = join(state, 'containerd.sock');
  await mkdir(state, { recursive: true });
  const configuration = join(state, 'config.toml');
  await writeFile(configuration, storeConfiguration);
  const log = await open(join(state, 'log'), 'w');
  const args = [
    '--config',
    configuration,
    '--root',
    join(root, 'var/lib/containerd'),
    '--state',
    state,
    '--address',
    address,
  ];
  // setpriv: a containerd must not stay behind where this process is killed.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', programs.containerd, ...args], {
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const run = (command: readonly string[], input?: Uint8Array): Promise<string> =>
    exec(programs.ctr, ctrArgs(address, command), { input, next: `read ${join(state, 'log')}` });
  try {
    await waitFor(async () => ((await stat(address)).isSocket() ? true : undefined), {
      what: 'a containerd to put images into',
      timeoutMs: 60_000,
      next: `read ${join(state, 'log')}`,
    });
    for (const { image, name } of images) {
      const archive = await imageArchive(image, new Set());
      await run(
        ['images', 'import', '--local', '--no-unpack', '--label=io.cri-containerd.pinned=pinned', '-'],
        archive,
      );
      if (name !== image.reference) {
        await run(['images', 'tag', '--local', '--force', image.reference, name]);
        await run(['images', 'rm', image.reference]);
      }
      await run(['images', 'label', name, 'io.cri-containerd.pinned=pinned']);
    }
  } finally {
    child.kill('SIGTERM');
    await ended;
    await log.close();
  }
};
