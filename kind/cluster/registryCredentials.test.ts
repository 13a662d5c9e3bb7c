import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exec } from '../../common/exec.ts';
import { readFileIfThere } from '../../common/files.ts';
import { renderGive, renderTake } from './registryCredentials.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubelet-'));
  await mkdir(join(dir, 'bin'));
  await writeFile(join(dir, 'bin', 'systemctl'), `#!/bin/sh\necho "$@" >> ${dir}/restarts\n`, { mode: 0o755 });
  await mkdir(join(dir, 'node'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const run = (script: string, input?: string): Promise<string> =>
  exec('sh', ['-c', script.replace('/var/lib/kubelet', join(dir, 'node'))], {
    env: { PATH: `${join(dir, 'bin')}:${process.env.PATH}` },
    ...(input !== undefined && { input }),
  });

const restarts = async (): Promise<number> =>
  ((await readFileIfThere(join(dir, 'restarts'))) ?? '').split('\n').filter((line) => line === 'restart kubelet')
    .length;

const given = (): Promise<string | undefined> => readFileIfThere(join(dir, 'node', 'config.json'));

test('credentials are given once, and again where they change, each time with a kubelet that reads them', async () => {
  await run(renderGive(), '{"auths":{}}');
  await run(renderGive(), '{"auths":{}}');
  expect([await given(), await restarts()]).toEqual(['{"auths":{}}', 1]);
  await run(renderGive(), '{}');
  expect([await given(), await restarts()]).toEqual(['{}', 2]);
});

test('a kubelet that a killed run did not restart is restarted by the next one', async () => {
  await run(renderGive(), '{}');
  await writeFile(join(dir, 'node', '.understudy-stale'), '');
  await run(renderGive(), '{}');
  expect(await restarts()).toBe(2);
  expect(await readdir(join(dir, 'node'))).not.toContain('.understudy-stale');
});

test('a node whose systemd does not run yet is asked again', async () => {
  const systemctl = `#!/bin/sh\n[ -e ${dir}/asked ] || { touch ${dir}/asked; exit 1; }\necho "$@" >> ${dir}/restarts\n`;
  await writeFile(join(dir, 'bin', 'systemctl'), systemctl, { mode: 0o755 });
  await run(renderGive(), '{}');
  expect([await given(), await restarts()]).toEqual(['{}', 1]);
});

test('they are taken away again, and nothing else is left', async () => {
  await run(renderGive(), '{}');
  await run(renderTake());
  expect(await readdir(join(dir, 'node'))).toEqual([]);
  await run(renderTake());
  expect(await restarts()).toBe(2);
});

test("a file that is not ours is not taken away, nor is a kubelet's time wasted", async () => {
  await writeFile(join(dir, 'node', 'config.json'), 'mounted');
  await run(renderTake());
  expect(await readFile(join(dir, 'node', 'config.json'), 'utf8')).toBe('mounted');
  expect(await restarts()).toBe(0);
});
