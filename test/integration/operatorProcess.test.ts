import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../common/waitFor.ts';
import { serviceFlags } from '../../image/build.ts';
import { bundleService } from '../../image/bundle.ts';
import { startTestCluster, type TestCluster, tellPlugin } from './operatorCluster.ts';
import { patchEncryption, seeCondition, startInstallers } from './operatorRun.ts';

const projectDir = join(import.meta.dirname, '..', '..');
let dir: string;
let bundle: string;
let cluster: TestCluster;
const children: ChildProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'operator-'));
  bundle = join(dir, 'main.mjs');
  await writeFile(bundle, await bundleService(join(projectDir, 'operator', 'main.ts')));
  cluster = await startTestCluster();
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
});

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, [...serviceFlags, bundle, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KUBECONFIG: cluster.kubeconfigPath, ...env },
  });
  children.push(child);
  const ended = Promise.all([
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    text(child.stdout),
    text(child.stderr),
  ]).then(([code, stdout, stderr]) => ({ code, stdout, stderr }));
  return { child, ended };
};

const holderOf = async (): Promise<string | undefined> => {
  const path =
    '/apis/coordination.k8s.io/v1/namespaces/openshift-kube-apiserver-operator/leases/kube-apiserver-operator-lock';
  const lease = await cluster.client.send<{ spec?: { holderIdentity?: string } }>({ method: 'GET', path });
  return lease.spec?.holderIdentity;
};

test.each([
  [[], 'no command'],
  [['other'], "the command 'other'"],
  [['operator', 'now'], "the words 'now' too many"],
  [['installer'], 'variable NODE_NAME is not set'],
  [['operator', '--health-interval=soon'], "use --health-interval 'soon'"],
  [['operator', '--metrics-addr=9810'], 'it is not host:port'],
  [['operator', '--other'], "Unknown option '--other'"],
])('refuses %j', async (args, message) => {
  const { code, stderr } = await run(args, { NODE_NAME: '', NODE_IP: '' }).ended;
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test('leads, works, ends at once when told to, and lets the next one lead; killed, it is succeeded by its like', async () => {
  for (const node of cluster.nodes) await tellPlugin(cluster.client, node, true);
  const installers = startInstallers(cluster);
  const leading = async () => ((await holderOf()) ? true : undefined);
  const wait = { what: 'a leader', timeoutMs: 20_000, intervalMs: 20, next: 'see the log' };

  const killed = run(['operator']);
  await waitFor(leading, wait);
  killed.child.kill('SIGKILL');
  await killed.ended;

  const { child, ended } = run(['operator']);
  await patchEncryption(cluster, { type: 'aescbc' });
  await seeCondition(cluster, 'Encrypted', { status: 'True', reason: 'EncryptionCompleted' });
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  const residentKiB = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  expect(residentKiB).toBeLessThan(150 * 1024);

  const told = performance.now();
  child.kill('SIGTERM');
  const { code, stdout, stderr } = await ended;
  expect(performance.now() - told).toBeLessThan(2_000);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
  expect(await holderOf()).toBe('');
  await installers.stop();
});
