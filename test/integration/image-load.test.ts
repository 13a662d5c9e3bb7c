import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectDir } from '../../common/paths.ts';
import { silentProgress } from '../../common/progress.ts';
import { type BuiltImage, buildBinaryImage, buildServiceImage } from '../../image/build.ts';
import { type Containerd, importImage } from '../../image/load.ts';
import { type StartedContainerd, startContainerd } from './image.containerd.ts';

let folder: string;
let layoutDir: string;
let node: StartedContainerd;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-image-'));
  layoutDir = join(folder, 'images');
  node = await startContainerd();
});
afterAll(async () => {
  await node?.stop();
  await rm(folder, { recursive: true, force: true });
});

const greeter = async (greeting: string): Promise<BuiltImage> => {
  const entryPoint = join(folder, 'main.ts');
  const source = `const said: string = '${greeting}';\nconsole.log(said, process.version, process.getuid?.());\n`;
  await writeFile(entryPoint, source);
  return buildServiceImage({ name: 'understudy.local/greeter', entryPoint }, silentProgress, layoutDir);
};

/** What a container of the image prints; it sees nothing of this machine but the kernel. */
const run = (image: BuiltImage, ...command: string[]): Promise<string> =>
  node.ctr('run', '--rm', '--cgroup', `/understudy-image-${process.pid}`, image.reference, 'c', ...command);

/** The node's containerd by way of a ctr that keeps a copy of the archive that it is sent. */
const listening = async (): Promise<{ readonly containerd: Containerd; sentBytes(): Promise<number> }> => {
  const copy = join(folder, 'sent');
  const ctr = join(folder, 'ctr');
  await rm(copy, { force: true });
  const script = `case "$*" in *import*) tee '${copy}' | '${node.containerd.ctr}' "$@" ;; *) exec '${node.containerd.ctr}' "$@" ;; esac`;
  await writeFile(ctr, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { containerd: { ...node.containerd, ctr }, sentBytes: async () => (await stat(copy)).size };
};

const took = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

test('an image runs on a node; a changed service runs there within 3 s, and only what changed was sent', async () => {
  const first = await greeter('one');
  expect(await importImage(node.containerd, first)).toBe('sent');
  expect(await run(first)).toBe(`one ${process.version} 65532\n`);

  const { containerd, sentBytes } = await listening();
  const ms = await took(async () => {
    const second = await greeter('two');
    expect(await importImage(containerd, second)).toBe('sent');
    expect(await run(second)).toBe(`two ${process.version} 65532\n`);
  });
  expect(ms).toBeLessThan(3_000);
  expect(await sentBytes()).toBeLessThan(20_000);
});

test('an image that the node has is not sent', async () => {
  const image = await greeter('again');
  await importImage(node.containerd, image);
  const { containerd, sentBytes } = await listening();
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    times.push(await took(async () => expect(await importImage(containerd, image)).toBe('present')));
  }
  expect(Math.min(...times)).toBeLessThan(300);
  await expect(sentBytes()).rejects.toThrow('ENOENT');
});

test('an image that a node lost, or lost a layer of, is sent again', async () => {
  const image = await greeter('lost');
  await importImage(node.containerd, image);
  await node.ctr('images', 'rm', '--sync', image.reference);
  expect(await importImage(node.containerd, image)).toBe('sent');

  const layers = JSON.parse(await node.ctr('content', 'get', image.digest)).layers;
  await node.ctr('content', 'rm', layers[0].digest);
  expect(await importImage(node.containerd, image)).toBe('sent');
  expect(await node.ctr('content', 'ls', '--quiet')).toContain(layers[0].digest);
  expect(await run(image)).toContain('lost');
});

test('a static and a dynamic program run as images', async () => {
  const build = (name: string, binaryPath: string): Promise<BuiltImage> =>
    buildBinaryImage({ name: `understudy.local/${name}`, binaryPath }, silentProgress, layoutDir);
  const runNew = async (image: BuiltImage): Promise<string> => {
    expect(await importImage(node.containerd, image)).toBe('sent');
    return run(image);
  };
  expect(await runNew(await build('static', node.containerd.ctr))).toContain('ctr - ');
  const id = await runNew(await build('dynamic', '/usr/bin/id'));
  expect(id).toBe('uid=65532(nonroot) gid=65532(nonroot) groups=65532(nonroot)\n');
});

test('the KMS plugin runs from its image with all the packages that it imports', async () => {
  const service = { name: 'understudy.local/kms-plugin', entryPoint: join(projectDir, 'plugin', 'main.ts') };
  const image = await buildServiceImage(service, silentProgress, layoutDir);
  await importImage(node.containerd, image);
  expect(await run(image, '/usr/bin/node', '/app/main.mjs', '--help')).toContain('--listen-addr');
});

test('no containerd at the address is told', async () => {
  const image = await greeter('nobody');
  const nobody = { ...node.containerd, address: join(folder, 'nobody.sock') };
  await expect(importImage(nobody, image)).rejects.toThrow(
    /nobody\.sock[\s\S]*next: see whether containerd answers at/,
  );
});
