import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { tryExec } from '../../common/exec.ts';
import { waitFor } from '../../common/waitFor.ts';
import type { Group } from '../../toolchain/recipe.ts';
import { arch, ensureTools } from './ensure.ts';

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

/** Docker's config.json of {@link user}, or of who has another password. */
export const credentialsFor = (host: string, password: string = user.password): string =>
  JSON.stringify({ auths: { [host]: { auth: Buffer.from(`${user.name}:${password}`).toString('base64') } } });

export interface RegistryPlace {
  readonly port: number;
  /** A process in the network namespace whose loopback it listens at; this one's, unless told. */
  readonly networkOf?: number;
  /** A folder that is there, kept; one of its own, unless told. */
  readonly images?: string;
}

export interface RegistryServer {
  /** As image references begin with it. */
  readonly host: string;
  end(): Promise<void>;
}

/** Starts a registry at 127.0.0.1 that answers nobody but {@link user}, over plain HTTP. */
export const serveRegistry = async ({ port, networkOf, images }: RegistryPlace): Promise<RegistryServer> => {
  const { registry } = await ensureTools<'registry'>(distribution);
  const dir = await mkdtemp(join(tmpdir(), 'registry-'));
  const host = `127.0.0.1:${port}`;
  const configuration = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: images ?? join(dir, 'images') } },
    http: { addr: host, secret: 'of a test' },
    auth: { htpasswd: { realm: 'private', path: join(dir, 'htpasswd') } },
  };
  await Promise.all([
    writeFile(join(dir, 'htpasswd'), htpasswd),
    writeFile(join(dir, 'registry.yaml'), stringify(configuration)),
  ]);
  const there = networkOf === undefined ? [] : ['nsenter', '--target', String(networkOf), '--net'];
  const [program = registry, ...args] = [...there, registry, 'serve', join(dir, 'registry.yaml')];
  const child = spawn(program, args, {
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
  const [asker = process.execPath, ...asked] = [...there, process.execPath, '-e', script];
  const asks = async (): Promise<true> => {
    const { stdout, stderr } = await tryExec(asker, asked);
    if (stdout.trim() !== '401') throw new Error(stdout + stderr + log.join(''));
    return true;
  };
  await waitFor(asks, { what: 'a registry that asks who one is', timeoutMs: 30_000, intervalMs: 100, next: '' }).catch(
    async (error: unknown) => {
      await end();
      throw error;
    },
  );
  return { host, end };
};
