import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ClusterAccess, readAccess } from '../../cluster/access.ts';
import { readEtcd } from '../../cluster/etcd.ts';
import { bridgeName } from '../../cluster/plan.ts';
import { exec, tryExec } from '../../common/exec.ts';
import { silentProgress } from '../../common/progress.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import { type Box, boxOf } from './support/boxes.ts';
import { type ClusterMarks, endHome, eventually, type Home, makeHome, marksOf } from './support/home.ts';
import {
  createSecret,
  type Kubectl,
  kubectlFor,
  kubectlOf,
  nodeContainer,
  pluginImage,
  pluginNamespace,
  pluginPod,
  readSecret,
  runInPod,
} from './support/kubectl.ts';
import { remainsOf } from './support/remains.ts';

const stack = 'life';
const node = `${stack}-control-plane`;
const plain = 'a-plain-text-that-nobody-may-find';

let home: Home;
let kubectl: Kubectl;
let access: ClusterAccess;
let box: Box;
let marks: ClusterMarks;
let planned: number;

const verifies = async (): Promise<void> => {
  const { code, stdout, stderr } = await home.run('verify', stack, '--json');
  expect(code, stdout + stderr).toBe(0);
};

/** A secret from before can be read, and a new one written and read. */
const secretsWork = (name: string): Promise<void> =>
  eventually(`secrets after ${name}`, async () => {
    await kubectl.try('delete', 'secret', name);
    await createSecret(kubectl, name, name);
    expect(await readSecret(kubectl, name)).toBe(name);
    expect(await readSecret(kubectl, 'first')).toBe(plain);
    return true;
  }).then(() => {});

beforeAll(async () => {
  home = await makeHome();
  await home.writeStack(stack);
  marks = await marksOf(home, stack);
});

afterAll(() => endHome(home));

describe('before the first up', () => {
  it('preview plans all resources and changes nothing', async () => {
    const { code, stdout, stderr } = await home.run('preview', stack, '--json');
    expect(code, stderr).toBe(0);
    planned = JSON.parse(stdout).changes;
    expect(planned).toBeGreaterThan(15);
    expect(stderr).toMatch(/\+ create DaemonSet kms-plugin-daemonset/);
    expect(existsSync(home.clusterDir(stack))).toBe(false);
    expect((await tryExec('ip', ['link', 'show', bridgeName(marks.id)])).code).not.toBe(0);
  });

  it('status and verify say that it is not up, and what to type', async () => {
    for (const command of ['status', 'verify', 'kubeconfig']) {
      const { code, stderr } = await home.run(command, stack);
      expect(code).toBe(1);
      expect(stderr).toContain(`stack ${stack} is not up\n  next: run 'understudy up ${stack}'`);
    }
  });
});

describe('a stack of one node', () => {
  beforeAll(async () => {
    const { code, stdout, stderr } = await home.run('up', stack, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stack, changes: planned, healed: false, nodes: 1 });
    marks = await marksOf(home, stack);
    kubectl = await kubectlFor(home, stack);
    const found = await readAccess(home.clusterDir(stack));
    if (found === undefined) throw new Error('no access.json after up');
    access = found;
    box = await boxOf(home, stack, node);
  });

  it('up again changes no resource and takes less than 5 s', async () => {
    const { code, stdout, stderr, seconds } = await home.run('up', stack, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stack, changes: 0, healed: false, nodes: 1 });
    expect(seconds).toBeLessThan(5);
  });

  it('status --json tells of cluster, encryption and plugins', async () => {
    const { code, stdout } = await home.run('status', stack, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      stack,
      platform: 'local',
      cluster: {
        ready: true,
        version: expect.stringMatching(/^v1\./),
        nodes: [{ name: node, ready: true, hollow: false }],
      },
      encryption: {
        type: 'KMS',
        encrypted: { status: 'True', reason: 'EncryptionCompleted' },
        writeKey: '1',
        keys: [{ id: '1', mode: 'KMS', state: 'write', migrated: true }],
      },
      plugins: [{ node, status: 'healthy', detail: expect.stringContaining('kms-plugin-') }],
    });
  });

  it('verify --json counts what is in etcd, and proves a round trip', async () => {
    await createSecret(kubectl, 'first', plain);
    const { code, stdout } = await home.run('verify', stack, '--json');
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.roundTrip).toBe(true);
    for (const resource of ['secrets', 'configmaps']) {
      const { checked, encrypted, plaintext, byKey, byKekID, wrong } = report.resources[resource];
      expect({ encrypted, plaintext, byKey, wrong }).toEqual({
        encrypted: checked,
        plaintext: 0,
        byKey: { [`1_${resource}`]: checked },
        wrong: [],
      });
      expect(Object.values(byKekID)).toEqual([checked]);
    }
  });

  it('etcd holds no plain text of a secret that kubectl made', async () => {
    const raw: Buffer[] = [];
    for await (const { key, value } of readEtcd(access, '/kubernetes.io/')) {
      if (key === '/kubernetes.io/secrets/default/first') raw.push(value);
      expect(value.includes(plain), key).toBe(false);
    }
    expect(raw[0]?.toString('latin1').startsWith('k8s:enc:kms:v2:1_secrets:')).toBe(true);
    expect(await readSecret(kubectl, 'first')).toBe(plain);
  });

  it('kubectl logs, exec and port-forward reach the plugin', async () => {
    const pod = await pluginPod(kubectl);
    const inNamespace = ['-n', pluginNamespace];
    expect(await kubectl(...inNamespace, 'logs', pod)).toContain('serving KMS v2');
    const version = await kubectl(...inNamespace, 'exec', pod, '--', '/usr/bin/node', '-p', 'process.version');
    expect(version.trim()).toBe(process.version);
    const forward = spawn(kubectl.program, [...kubectl.who, ...inNamespace, 'port-forward', pod, ':9808']);
    try {
      const line = await new Promise<string>((resolve) => forward.stdout.once('data', (data) => resolve(String(data))));
      const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(metrics).toContain('# TYPE');
    } finally {
      forward.kill();
    }
  });

  it('understudy logs shows components and the plugin, and names those that exist', async () => {
    expect((await home.run('logs', 'kms-plugin', stack)).stdout).toContain('serving KMS v2');
    expect((await home.run('logs', 'kubelet', stack, '-n', '5')).stdout.trimEnd().split('\n')).toHaveLength(5);
    const { code, stderr } = await home.run('logs', 'kublet', stack);
    expect(code).toBe(2);
    expect(stderr).toMatch(/there are logs of .*kube-apiserver.*kubelet/);
  });

  it('pods find each other by service names, and the API server knows their accounts', async () => {
    const image = await pluginImage(kubectl);
    const labels = { app: 'web' };
    const serve = `require('http').createServer((_, answer) => answer.end(require('os').hostname())).listen(8080)`;
    await kubectl.apply(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { terminationGracePeriodSeconds: 0, containers: [nodeContainer(image, serve)] },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: 'default' },
        spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
      },
    );
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    const ask = `
      const { readFileSync } = require('fs');
      const folder = '/var/run/secrets/kubernetes.io/serviceaccount/';
      const api = (path) => new Promise((resolve, reject) => require('https').get('https://kubernetes.default.svc' + path,
        { ca: readFileSync(folder + 'ca.crt'), headers: { authorization: 'Bearer ' + readFileSync(folder + 'token') } },
        (answer) => resolve(answer.resume().statusCode)).on('error', reject));
      (async () => {
        const servers = new Set();
        const end = Date.now() + 10_000; // kube-proxy puts endpoints into force once a second
        while (servers.size < 2 && Date.now() < end) {
          const options = { headers: { connection: 'close' } };
          const answer = await fetch('http://web.default.svc.cluster.local', options).catch(({ cause }) => cause);
          if (answer.ok) servers.add(await answer.text());
          else if (answer.code !== 'ECONNREFUSED') throw answer;
        }
        const { address } = await require('dns').promises.lookup('web');
        const unknown = await require('dns').promises.lookup('example.com').catch(({ code }) => code);
        console.log(JSON.stringify({ servers: servers.size, address, unknown,
          version: await api('/version'), secrets: await api('/api/v1/secrets') }));
      })();`;
    const serviceAddress = await kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}');
    expect(JSON.parse(await runInPod(kubectl, 'asker', image, ask))).toEqual({
      servers: 2,
      address: serviceAddress,
      unknown: expect.stringMatching(/^E/),
      version: 200,
      secrets: 403,
    });
    await kubectl('delete', 'deployment/web', 'service/web', '--wait=false');
  });

  it('refuses who has no certificate, and lets a kubelet see and change only what is its own', async () => {
    const server = `https://${access.api.host}:${access.api.port}`;
    const anonymous = await tryExec('curl', [
      '--silent',
      '--insecure',
      '--write-out',
      '%{http_code}',
      `${server}/version`,
    ]);
    expect(anonymous.stdout).toMatch(/401$/);
    const kubelet = kubectlOf(kubectl, join(box.root, 'etc/kubernetes/kubelet.conf'), server);
    expect(await kubelet('get', 'node', node, '-o', 'name')).toBe(`node/${node}\n`);
    const refused = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await kubelet.try(...args);
      expect(code, stderr).toBe(1);
      return stderr;
    };
    expect(await refused('get', 'secrets', '-A')).toContain('forbidden');
    expect(await refused('get', 'secret', 'first')).toContain('no relationship found between node');
    await kubectl.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'another' } });
    expect(await refused('label', 'node', 'another', 'a=b')).toContain(`node '${node}' cannot`);
    expect(await refused('label', 'node', node, 'node-restriction.kubernetes.io/a=b')).toContain(
      'is not allowed to modify labels',
    );
    await kubectl('delete', 'node', 'another');
  });

  it('is hermetic: neither box nor pod has a route beyond this machine', async () => {
    const pod = await pluginPod(kubectl);
    const podAddress = await kubectl('-n', pluginNamespace, 'get', 'pod', pod, '-o', 'jsonpath={.status.podIP}');
    const toPod = JSON.parse((await box.inNetwork('ip', '-json', 'route', 'get', podAddress)).stdout);
    for (const outside of ['192.0.2.1', '1.1.1.1', '198.51.100.7']) {
      const fromBox = await box.inNetwork('ip', 'route', 'get', outside);
      expect(fromBox.stderr).toContain('Network is unreachable');
      const fromPod = await box.inNetwork('ip', 'route', 'get', outside, 'from', podAddress, 'iif', toPod[0].dev);
      expect(fromPod.code, fromPod.stdout).not.toBe(0);
    }
  });

  it('all of it is resources of the engine, whose state holds no credential in plain text', async () => {
    const { pulumi } = await ensurePrograms(['pulumi'], silentProgress);
    const env = {
      ...home.env,
      PULUMI_BACKEND_URL: `file://${home.dir}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: join(home.dir, 'passphrase'),
    };
    const exported = await exec(pulumi, ['stack', 'export', '--stack', `organization/understudy/${stack}`], { env });
    const { resources } = JSON.parse(exported).deployment as {
      readonly resources: readonly { readonly type: string }[];
    };
    const types = new Set(resources.map(({ type }) => type));
    for (const type of [
      'understudy:index:LocalCluster',
      'understudy:index:Image',
      'understudy:index:KmsPlugin',
      'understudy:index:ApiServerEncryption',
      'command:local:Command',
      'kubernetes:core/v1:Namespace',
      'kubernetes:core/v1:ServiceAccount',
      'kubernetes:apps/v1:DaemonSet',
      'kubernetes:rbac.authorization.k8s.io/v1:ClusterRole',
    ]) {
      expect(types).toContain(type);
    }
    const key = parse(access.kubeconfig).users[0].user['client-key-data'] as string;
    const needles = [
      key,
      ...Buffer.from(key, 'base64')
        .toString()
        .split('\n')
        .filter((line) => /^[A-Za-z0-9+/=]{40,}$/.test(line)),
    ];
    const files = await readdir(join(home.dir, '.pulumi'), { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile())) {
      const path = join(file.parentPath, file.name);
      const content = await readFile(path, 'utf8');
      for (const needle of needles) expect(content.includes(needle), path).toBe(false);
    }
  });

  it('keeps credentials and keys from other users', async () => {
    const dir = home.clusterDir(stack);
    const secret = ['access.json', 'kubeconfig', 'pki/kubernetes-ca.pem', 'pki/etcd-ca.pem', 'pki/service-account.pem'];
    for (const file of [...secret.map((name) => join(dir, name)), join(home.dir, 'passphrase')]) {
      expect((await stat(file)).mode & 0o077, file).toBe(0);
    }
    const keystore = join(box.root, 'var/lib/kms-plugin');
    for (const name of await readdir(keystore)) expect((await stat(join(keystore, name))).mode & 0o077, name).toBe(0);
  });

  it('up makes what somebody deleted behind its back, once refresh has looked', async () => {
    await kubectl('delete', 'clusterrole', 'system:coredns');
    const { code, stdout } = await home.run('refresh', stack, '--json');
    expect([code, JSON.parse(stdout).changes]).toEqual([0, 1]);
    const again = await home.run('up', stack, '--json');
    expect(again.code, again.stderr).toBe(0);
    expect(await kubectl('get', 'clusterrole', 'system:coredns', '-o', 'name')).toContain('system:coredns');
  });

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
    await verifies();
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
    await verifies();
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
    expect(healed.seconds).toBeLessThan(60);
    expect(await readSecret(kubectl, 'first')).toBe(plain);
    await verifies();
  });

  it('all processes killed while secrets are written: what was acknowledged is there after up', async () => {
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
    const { code, stderr, seconds } = await home.run('up', stack);
    expect(code, stderr).toBe(0);
    expect(seconds).toBeLessThan(60);
    for (const i of acknowledged) expect(await readSecret(kubectl, `written-${i}`)).toBe(i);
    expect(await readSecret(kubectl, 'first')).toBe(plain);
    await verifies();
  });
});

describe('after it', () => {
  it('down leaves no process, link, route, firewall rule, cgroup, mount or file, and can be repeated', async () => {
    expect((await remainsOf(home, stack, marks)).length).toBeGreaterThan(10);
    const first = await home.run('down', stack, '--json');
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ stack, wasThere: true });
    expect(await remainsOf(home, stack, marks)).toEqual([]);
    const second = await home.run('down', stack, '--json');
    expect([second.code, JSON.parse(second.stdout).wasThere]).toEqual([0, false]);
    expect(await remainsOf(home, stack, marks)).toEqual([]);
  });
});
