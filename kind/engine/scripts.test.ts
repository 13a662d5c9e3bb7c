import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { renderDaemonConfiguration, renderEnter, renderInit, renderRuntime } from './scripts.ts';

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

test('an engine has a network of its own in which nothing but the loopback is up', () => {
  expect(renderEnter(places, [], '/tmp/engine/init.sh')).toContain('unshare --mount --net --pid');
  const init = renderInit(places, []);
  expect(init.match(/^ip .*$/gm)).toEqual(['ip link set lo up']);
});

test('an engine keeps everything in its folder', () => {
  const init = renderInit(places, []);
  expect(init).toContain("--data-root '/tmp/engine/data'");
  expect(init).toContain("--host 'unix:///tmp/engine/docker.sock'");
  expect(init).not.toContain('/var/lib/docker');
});

test('Docker starts containers by the runtime that it is given', () => {
  expect(JSON.parse(renderDaemonConfiguration('/tmp/engine/runtime'))).toMatchObject({
    runtimes: { understudy: { path: '/tmp/engine/runtime' } },
    'default-runtime': 'understudy',
  });
});
