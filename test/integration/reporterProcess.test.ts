import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../common/waitFor.ts';
import { restingServiceFlags } from '../../image/build.ts';
import { bundleService } from '../../image/bundle.ts';

const projectDir = join(import.meta.dirname, '..', '..');
const socket = 'unix:///var/run/kmsplugin/kms-987654.sock';
const children: ChildProcess[] = [];
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'reporter-'));
  await writeFile(join(dir, 'main.mjs'), await bundleService(join(projectDir, 'reporter', 'main.ts')));
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(dir, { recursive: true, force: true });
});

const run = (...args: readonly string[]) => {
  const child = spawn(process.execPath, [...restingServiceFlags, join(dir, 'main.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, said: () => said, ended: Promise.all([exited, text(child.stderr)]) };
};

test.each([
  [['--node-name=n'], "could not use --kms-sockets ''"],
  [[`--kms-sockets=${socket},${socket}`, '--node-name=n'], 'is there twice'],
  [['--kms-sockets=unix:///tmp/a.sock', '--node-name=n'], 'is not unix:///var/run/kmsplugin/kms-<number>.sock'],
  [[`--kms-sockets=${socket}`, '--node-name=n', '--interval=now'], 'it is not a duration'],
])('asked wrongly: exit code 2 and what to do (%j)', async (args, message) => {
  const [code, stderr] = await run(...args).ended;
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  expect(stderr).toContain('\n  next: ');
});

test('tells what it is for', async () => {
  const { ended, said } = run('--help');
  expect((await ended)[0]).toBe(0);
  expect(said()).toContain('--kms-sockets-file');
});

test('goes on without plugin, kubeconfig and API server, says so once, measures, and ends at once when told to', async () => {
  const flags = [`--kms-sockets=${socket}`, '--node-name=n', '--interval=100ms', '--metrics-addr=127.0.0.1:0'];
  const { child, said, ended } = run(...flags, `--kubeconfig=${join(dir, 'none')}`);
  const port = await waitFor(async () => /"metricsPort":(\d+)/.exec(said())?.[1], {
    what: 'the port of metrics',
    timeoutMs: 20_000,
    intervalMs: 20,
    next: 'read what it said',
  });
  const dropped = await waitFor(
    async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const count = Number(/writes_total\{result="dropped"\} (\d+)/.exec(metrics)?.[1]);
      return count > 3 ? metrics : undefined;
    },
    { what: 'dropped reports', timeoutMs: 20_000, intervalMs: 50, next: said() },
  );
  expect(dropped).toContain('kms_health_reporter_plugin_healthy{key="987654"} 0');
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  expect(said().match(/could not deliver a report/g)).toHaveLength(1);
  child.kill('SIGTERM');
  const [code] = await ended;
  expect(code).toBe(0);
  expect(said()).toContain('"ended"');
});

test('an address for metrics that is taken is told: exit code 1', async () => {
  const first = run(`--kms-sockets=${socket}`, '--node-name=n', '--metrics-addr=127.0.0.1:0');
  const port = await waitFor(async () => /"metricsPort":(\d+)/.exec(first.said())?.[1], {
    what: 'the port of metrics',
    timeoutMs: 20_000,
    intervalMs: 20,
    next: 'read what it said',
  });
  const [code, stderr] = await run(`--kms-sockets=${socket}`, '--node-name=n', `--metrics-addr=127.0.0.1:${port}`)
    .ended;
  expect(code).toBe(1);
  expect(stderr).toContain('EADDRINUSE');
  first.child.kill('SIGTERM');
});
