import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tryExec } from '../../common/exec.ts';
import { silentProgress } from '../../common/progress.ts';
import { type BuiltImage, buildServiceImage } from '../../image/build.ts';
import { pushImage } from '../../image/push.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import { freePort } from '../tools/freePort.ts';
import { credentialsFor, type RegistryServer, serveRegistry } from '../tools/registryServer.ts';

let folder: string;
let crane: string;
let registry: RegistryServer;
let image: BuiltImage;
let repository: string;

const build = async (): Promise<BuiltImage> => {
  const entryPoint = join(folder, 'main.ts');
  await writeFile(entryPoint, "console.log('hello');\n");
  return buildServiceImage({ name: 'understudy.local/greeter', entryPoint }, silentProgress, join(folder, 'images'));
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-push-test-'));
  const port = await freePort();
  [{ crane }, registry, image] = await Promise.all([
    ensurePrograms(['crane'], silentProgress),
    serveRegistry({ port }),
    build(),
  ]);
  repository = `${registry.host}/understudy/greeter`;
});
afterAll(async () => {
  await registry?.end();
  await rm(folder, { recursive: true, force: true });
});

/** What `docker pull` would find, by another's credentials. */
const digestThere = async (reference: string): Promise<string> => {
  const config = join(folder, 'docker');
  await rm(config, { recursive: true, force: true });
  await mkdir(config);
  await writeFile(join(config, 'config.json'), credentialsFor(registry.host));
  return (
    await tryExec(crane, ['digest', reference], { env: { ...process.env, DOCKER_CONFIG: config } })
  ).stdout.trim();
};

test('an image is there by the digest that it was built with, also where it was there before', async () => {
  const pushed = await pushImage(crane, image, repository, credentialsFor(registry.host));
  expect(pushed).toBe(`${repository}@${image.digest}`);
  expect(await digestThere(pushed)).toBe(image.digest);
  expect(await pushImage(crane, image, repository, credentialsFor(registry.host))).toBe(pushed);
});

test('whoever has no credentials, or others, is refused, and told what to do', async () => {
  for (const credentials of [JSON.stringify({ auths: {} }), credentialsFor(registry.host, 'wrong')]) {
    await expect(pushImage(crane, image, repository, credentials)).rejects.toThrow(
      /could not push 127\.0\.0\.1:\d+\/understudy\/greeter:[0-9a-f]{12}: .*(401|UNAUTHORIZED|authentication)[\s\S]*next: give credentials/,
    );
  }
});

test('a registry that does not answer is named', async () => {
  const port = await freePort();
  await expect(pushImage(crane, image, `127.0.0.1:${port}/a/greeter`, undefined)).rejects.toThrow(
    /connection refused[\s\S]*next: check understudy:cloud\.registry/,
  );
});

test('an image that is not there is named, and nothing is left behind', async () => {
  await expect(pushImage(crane, { ...image, reference: 'a:1' }, repository, undefined)).rejects.toThrow(
    /read image a:1/,
  );
  expect((await readdir(tmpdir())).filter((name) => /^understudy-push-[A-Za-z0-9]{6}$/.test(name))).toEqual([]);
});
