import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { renderEnter, renderInit, renderRuntime } from './box.ts';
import { dockerContent, dockerFiles } from './docker.ts';
import { podmanContent, podmanFiles, renderPodman } from './podman.ts';

const places = { id: 'engine-1', dir: '/tmp/engine', packages: '/cache/docker' };

test('the runtime takes the capability out of what runc is given, and nothing else', () => {
  const dir = mkdtempSync(join(tmpdir(), 'engine-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const bundle = join(dir, 'bundle');
  mkdirSync(bundle);
  const spec = (list: string): string => `{"bounding":[${list}],"x":"CAP_SYS_RESOURCEFUL"}`;
  writeFileSync(join(bundle, 'config.json'), spec('"CAP_CHOWN","CAP_SYS_RESOURCE"'));
  writeFileSync(join(dir, 'process.json'), spec('"CAP_SYS_RESOURCE","CAP_CHOWN"'));
  const runtime = join(dir, 'runtime');
  writeFileSync(runtime, renderRuntime('/bin/echo'), { mode: 0o700 });
  const said = execFileSync(runtime, ['exec', '--bundle', bundle, '--process', join(dir, 'process.json'), 'id'], {
    encoding: 'utf8',
  });
  expect(said).toBe(`exec --bundle ${bundle} --process ${join(dir, 'process.json')} id\n`);
  expect(readFileSync(join(bundle, 'config.json'), 'utf8')).toBe(spec('"CAP_CHOWN"'));
  expect(readFileSync(join(dir, 'process.json'), 'utf8')).toBe(spec('"CAP_CHOWN"'));
});

test.each([
  ['docker', dockerContent(places)],
  ['podman', podmanContent(places)],
])('%s has a network of its own in which nothing but the loopback is up', (_name, content) => {
  expect(renderEnter(places, [], '/tmp/engine/init.sh')).toContain('unshare --mount --net --pid');
  const init = renderInit(places, [], content);
  expect(init.match(/^ip .*$/gm)).toEqual(['ip link set lo up']);
});

test('Docker keeps everything in its folder, and starts containers by the runtime that it is given', () => {
  const init = renderInit(places, [], dockerContent(places));
  expect(init).toContain("--data-root '/tmp/engine/data'");
  expect(init).toContain("--host 'unix:///tmp/engine/docker.sock'");
  expect(init).not.toContain('/var/lib/docker');
  const files = dockerFiles(places, '/tmp/engine/runtime');
  expect(JSON.parse(files['/tmp/engine/daemon.json'] ?? '')).toMatchObject({
    runtimes: { understudy: { path: '/tmp/engine/runtime' } },
    'default-runtime': 'understudy',
  });
});

test('Podman keeps everything in its folder and its box, and starts containers by the runtime that it is given', () => {
  const files = podmanFiles(places, '/tmp/engine/runtime');
  expect(Object.keys(files)).toEqual(['/tmp/engine/containers.conf', '/tmp/engine/storage.conf']);
  expect(files['/tmp/engine/containers.conf']).toContain('understudy = ["/tmp/engine/runtime"]');
  expect(files['/tmp/engine/storage.conf']).toContain('graphroot = "/tmp/engine/storage"');
  const init = renderInit(places, [], podmanContent(places));
  for (const place of ['/dev/shm', '/etc', '/var/lib']) expect(init).toMatch(new RegExp(`^mount .* ${place}$`, 'm'));
});

test("Podman's command runs in its box, with nothing of the caller's environment", () => {
  const podman = renderPodman(places, 7);
  expect(podman).toContain('nsenter --target 7 --mount --net --pid');
  expect(podman).toContain("env -i PATH='/cache/docker/usr/sbin:");
  expect(podman).toContain("CONTAINERS_CONF='/tmp/engine/containers.conf'");
});
