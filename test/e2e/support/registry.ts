import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { exec } from '../../../common/exec.ts';
import { silentProgress } from '../../../common/progress.ts';
import { ensurePrograms } from '../../../toolchain/index.ts';
import type { Group } from '../../../toolchain/recipe.ts';
import { arch, ensureTools } from '../../tools/ensure.ts';
import type { Box } from './boxes.ts';
import { eventually } from './home.ts';

const version = '3.1.1';
const archive = `https://github.com/distribution/distribution/releases/download/v${version}/registry_${version}_linux_${arch}.tar.gz`;

const distribution = {
  name: 'registry',
  version,
  programs: [
    {
      name: 'registry',
      asks: { args: ['--version'], says: ['github.com/distribution/distribution/v3'] },
      release: { url: archive, checksumsUrl: `${archive}.sha256` },
      package: 'github.com/distribution/distribution/v3/cmd/registry',
    },
  ],
  build: {
    kind: 'go',
    module: 'registry',
    cgo: false,
    tags: [],
    variables: { 'github.com/distribution/distribution/v3/version.version': `v${version}` },
    packages: ['ca-certificates'],
  },
} as const satisfies Group;

/** Whom the registry knows. */
export const user = { name: 'ali', password: 'open sesame, of a test' } as const;
/** As `htpasswd -nbB -C 5` writes it. */
const htpasswd = 'ali:$2y$05$usUSusUSusUSusUSusUSuOQ0tRBA/PJLbq9jhBysYTvFxJ3jfBS7i\n';

/** A registry that answers nobody but {@link user}. */
export interface PrivateRegistry {
  /** As image references begin with it. */
  readonly host: string;
  /** Puts an image of the box's containerd into it. @returns its reference there */
  push(image: string, repository: string): Promise<string>;
  end(): Promise<void>;
}

/** Starts one at 127.0.0.1 of a box: containerd speaks plain HTTP to registries at its own loopback. */
export const startRegistry = async (box: Box, port = 5000): Promise<PrivateRegistry> => {
  const [{ registry }, { ctr }, pid] = await Promise.all([
    ensureTools<'registry'>(distribution),
    ensurePrograms(['ctr'], silentProgress),
    box.pid(),
  ]);
  const dir = await mkdtemp(join(tmpdir(), 'registry-'));
  const host = `127.0.0.1:${port}`;
  const configuration = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'images') } },
    http: { addr: host, secret: 'of a test' },
    auth: { htpasswd: { realm: 'private', path: join(dir, 'htpasswd') } },
  };
  await Promise.all([
    writeFile(join(dir, 'htpasswd'), htpasswd),
    writeFile(join(dir, 'registry.yaml'), stringify(configuration)),
  ]);
  const child = spawn('nsenter', ['--target', String(pid), '--net', registry, 'serve', join(dir, 'registry.yaml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  const log: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
  const ended = once(child, 'close');
  const end = async (): Promise<void> => {
    child.kill();
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  const script = `fetch('http://${host}/v2/').then(({ status }) => console.log(status))`;
  await eventually('a registry that asks who one is', async () => {
    const { stdout, stderr } = await box.inNetwork(process.execPath, '-e', script);
    if (stdout.trim() !== '401') throw new Error(stdout + stderr + log.join(''));
    return true;
  }).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  const images = (...args: readonly string[]): Promise<string> =>
    exec(ctr, ['--address', `/proc/${pid}/root/run/containerd/containerd.sock`, '-n', 'k8s.io', 'images', ...args]);
  return {
    host,
    push: async (image, repository) => {
      const reference = `${host}/${repository}`;
      await images('tag', image, reference);
      await images('push', '--plain-http', '--user', `${user.name}:${user.password}`, reference);
      await images('rm', reference);
      return reference;
    },
    end,
  };
};
