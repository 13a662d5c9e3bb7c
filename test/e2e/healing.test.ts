import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tryExec } from '../../common/exec.ts';
import { type Box, boxOf } from './support/boxes.ts';
import { endHome, eventually, type Home, makeHome } from './support/home.ts';
import {
  createSecret,
  type Kubectl,
  pluginImage,
  pluginNamespace,
  pluginPod,
  readSecret,
  runInPod,
} from './support/kubectl.ts';
import { bringUp, type UpStack } from './support/upStack.ts';

const stack = 'healing';
const node = `${stack}-control-plane`;
const plain = 'a-plain-text-that-nobody-may-lose';

let home: Home;
let kubectl: Kubectl;
let box: Box;
let up: UpStack;

beforeAll(async () => {
  home = await makeHome();
  up = await bringUp(home, stack);
  ({ kubectl } = up);
  box = await boxOf(home, stack, node);
  await createSecret(kubectl, 'first', plain);
});

afterAll(() => endHome(home));

/** A secret from before can be read, and a new one written and read. */
const secretsWork = (name: string): Promise<void> =>
  eventually(`secrets after ${name}`, async () => {
    await kubectl.try('delete', 'secret', name);
    await createSecret(kubectl, name, name);
    expect(await readSecret(kubectl, name)).toBe(name);
    expect(await readSecret(kubectl, 'first')).toBe(plain);
    return true;
  }).then(() => {});

it('a deleted plugin comes back with the same key, and secrets stay readable', async () => {
  const before = await pluginPod(kubectl);
  const keyOf = async (pod: string): Promise<string | undefined> =>
    /"keyId":"([^"]+)"/.exec(await kubectl('-n', pluginNamespace, 'logs', pod))?.[1];
  const key = await keyOf(before);
  await kubectl('-n', pluginNamespace, 'delete', 'pod', before);
  await kubectl('-n', pluginNamespace, 'rollout', 'status', 'daemonset/kms-plugin', '--timeout=60s');
  await secretsWork('plugin-deleted');
  expect(await pluginPod(kubectl)).not.toBe(before);
  expect(await keyOf(await pluginPod(kubectl))).toBe(key);
});

it('kube-apiserver killed comes back by itself and reads old secrets', async () => {
  await box.killComponent('kube-apiserver');
  await secretsWork('kube-apiserver-killed');
  await up.verifies();
});

it('every other component killed comes back by itself', async () => {
  const others = [
    'etcd',
    'kube-controller-manager',
    'kube-scheduler',
    'coredns',
    'containerd',
    'kubelet',
    'kube-proxy',
  ];
  await Promise.all(others.map(box.killComponent));
  await secretsWork('components-killed');
  const image = await pluginImage(kubectl);
  const resolve = `require('dns').promises.lookup('kubernetes').then(({ address }) => console.log(address))`;
  expect(await runInPod(kubectl, 'after-crash', image, resolve)).toBe('10.96.0.1\n');
  await up.verifies();
});

it('a killed box: status says so, up brings it back with its data', async () => {
  const pid = await box.pid();
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
  await eventually('the end of the box', async () => ((await box.processes()).length === 0 ? true : undefined));
  const { code, stdout } = await home.run('status', stack);
  expect(code).toBe(1);
  expect(stdout).toContain(`box ${node} does not run: 'understudy up ${stack}' starts it`);
  const json = await home.run('status', stack, '--json');
  expect([json.code, JSON.parse(json.stdout).cluster.ready]).toEqual([1, false]);
  const healed = await home.run('up', stack, '--json');
  expect(healed.code, healed.stderr).toBe(0);
  expect(JSON.parse(healed.stdout)).toMatchObject({ healed: true, changes: 0 });
  expect(await readSecret(kubectl, 'first')).toBe(plain);
  await up.verifies();
});

it('a reboot while secrets are written: all is there after up, and encrypted, without a manual step', async () => {
  const acknowledged: string[] = [];
  const writing = (async () => {
    for (let i = 0; ; i++) {
      const { code } = await kubectl.try('create', 'secret', 'generic', `written-${i}`, `--from-literal=plain=${i}`);
      if (code !== 0) return;
      acknowledged.push(String(i));
    }
  })();
  await eventually('some secrets written', async () => (acknowledged.length > 5 ? true : undefined));
  for (const pid of await box.processes()) await tryExec('kill', ['-KILL', String(pid)]);
  await writing;
  const healed = await up.json('up', stack);
  expect(healed).toMatchObject({ healed: true, changes: 0, encryption: 'KMS' });
  for (const i of acknowledged) expect(await readSecret(kubectl, `written-${i}`)).toBe(i);
  expect(await readSecret(kubectl, 'first')).toBe(plain);
  expect(await up.json('status', stack)).toMatchObject({
    cluster: { ready: true },
    encryption: { type: 'KMS', encrypted: { status: 'True', reason: 'EncryptionCompleted' }, writeKey: '1' },
    plugins: [{ status: 'healthy' }],
    degraded: { status: 'False' },
  });
  await up.verifies();
});

describe('a plugin that crashes for good', () => {
  const keystorePath = (): string => join(box.root, 'var/lib/kms-plugin/keystore.json');
  const newPod = (): Promise<string> => kubectl('-n', pluginNamespace, 'delete', 'pod', '-l', 'app=kms-plugin');
  let keystore = '';

  beforeAll(async () => {
    keystore = await readFile(keystorePath(), 'utf8');
    await writeFile(keystorePath(), 'damaged');
    await newPod();
  });

  it('is told by up before the time is over, with its last words', async () => {
    const { code, stdout, stderr, seconds } = await home.run('up', stack, '--timeout', '110s', '--json');
    expect(code, stderr).toBe(1);
    expect(seconds).toBeLessThan(112);
    const { error } = JSON.parse(stdout);
    expect(error.tried).toMatch(/have the KMS plugin ready on all control-plane nodes/);
    expect(error.got).toMatch(
      /^KMS plugin ready on 0 of 1 control-plane nodes\npod kms-plugin-\w+ on healing-control-plane: /,
    );
    expect(error.got).toMatch(/container kms-plugin: Error \(exit code 1\), restarted \d+ times/);
    expect(error.got).toMatch(/last lines of container kms-plugin .*could not read keystore/s);
    expect(stderr).toMatch(/· KMS plugin: pod kms-plugin-\w+: container kms-plugin: .*\n.*✗/s);
  });

  it('is told by up when the time is over', async () => {
    const { code, stderr, seconds } = await home.run('up', stack, '--timeout', '20s');
    expect(code, stderr).toBe(1);
    expect(seconds).toBeLessThan(22);
    expect(stderr).toMatch(/could not bring up stack healing within 20s: .*could not read keystore/s);
  });

  it('is well again after up once its keystore is', async () => {
    await writeFile(keystorePath(), keystore);
    await newPod();
    const { changes, plugin } = await up.json('up', stack, '--timeout', '3m');
    expect([changes, plugin.ready, plugin.of]).toEqual([0, 1, 1]);
    expect(await readSecret(kubectl, 'first')).toBe(plain);
    await up.verifies();
  });
});
