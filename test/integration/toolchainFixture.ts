import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { tryExec } from '../../common/exec.ts';
import type { GoBuild, Group, Release } from '../../toolchain/recipe.ts';
import { runToolchain, type ToolchainOutcome, type ToolchainRun } from './toolchainRun.ts';
import { startReleaseServer } from './toolchainServer.ts';

const greeter = `package main

import "os"

var version = "none"

func main() { os.Stdout.WriteString("greeter " + version + "\\n") }
`;

const build: GoBuild = {
  kind: 'go',
  module: 'greeters',
  cgo: false,
  tags: [],
  variables: { 'main.version': '1.2.3' },
  packages: [],
};

const base = 'https://releases.example/v1.2.3';

/** A program that every test may have: said to be published at `releases.example`, and built from a module of two packages. */
export const greetersGroup = (release: (name: string) => Release | undefined = () => undefined): Group => ({
  name: 'greeters',
  version: '1.2.3',
  programs: ['hello', 'goodbye'].map((name) => {
    const published = release(name);
    const asks = { args: ['--version'], says: ['greeter'] } as const;
    return { name, asks, package: `greeters.invalid/${name}`, ...(published ? { release: published } : {}) };
  }),
  build,
});

export const publishedAs = (file: string): Release => ({ url: `${base}/${file}`, checksumsUrl: `${base}/SHA256SUMS` });

/** A temporary cache and Go module, a server, and runs of the toolchain over them. */
export const startFixture = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-toolchain-'));
  const server = await startReleaseServer();
  const cache = join(folder, 'cache');
  const modulesDir = join(folder, 'modules');

  const write = async (path: string, content: string, mode = 0o644): Promise<string> => {
    const full = join(folder, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
    await chmod(full, mode);
    return full;
  };
  await write('modules/greeters/go.mod', 'module greeters.invalid\n\ngo 1.24\n');
  await write('modules/greeters/go.sum', '');
  await write('modules/greeters/hello/main.go', greeter);
  await write('modules/greeters/goodbye/main.go', greeter);

  const defaults = { groups: [greetersGroup()], modulesDir, cache, mirror: server.url, names: ['hello'] };
  const inOwnProcess = (run: Partial<ToolchainRun>, wrapper: readonly string[] = []) => {
    const [command = '', ...args] = [
      ...wrapper,
      process.execPath,
      join(import.meta.dirname, 'toolchainRun.ts'),
      JSON.stringify({ ...defaults, ...run }),
    ];
    return { command, args };
  };

  return {
    folder,
    cache,
    server,
    write,
    run: (run: Partial<ToolchainRun> = {}): Promise<ToolchainOutcome> => runToolchain({ ...defaults, ...run }),
    /** The same in a process of its own, started by a wrapper such as `unshare -m sh -c …`. */
    runApart: async (run: Partial<ToolchainRun> = {}, wrapper: readonly string[] = []): Promise<ToolchainOutcome> => {
      const { command, args } = inOwnProcess(run, wrapper);
      const result = await tryExec(command, args);
      if (result.code !== 0) throw new Error(`exit code ${result.code}: ${result.stderr}`);
      return JSON.parse(result.stdout) as ToolchainOutcome;
    },
    startApart: (run: Partial<ToolchainRun> = {}) => {
      const { command, args } = inOwnProcess(run);
      return spawn(command, args, { stdio: 'ignore' });
    },
    /** What is in the cache besides the programs: unfinished downloads and work of dead runs. */
    leftovers: async (): Promise<readonly string[]> => {
      const all = await readdir(join(cache, 'tmp'), { recursive: true }).catch(() => []);
      return all.filter((path) => path.includes('/'));
    },
    programs: async (): Promise<readonly string[]> =>
      (await readdir(cache).catch(() => [])).filter((name) => /^(hello|goodbye)-/.test(name)),
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

export type Fixture = Awaited<ReturnType<typeof startFixture>>;
