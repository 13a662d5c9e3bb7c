import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClusterAccess } from '../../cluster/access.ts';
import { tryExec } from '../../common/exec.ts';
import { type Box, boxOf } from './support/boxes.ts';
import { endHome, type Home, makeHome } from './support/home.ts';
import {
  createSecret,
  type Kubectl,
  kubectlOf,
  nodeContainer,
  pluginImage,
  pluginNamespace,
  pluginPod,
  runInPod,
} from './support/kubectl.ts';
import { bringUp } from './support/upStack.ts';

const stack = 'cluster';
const node = `${stack}-control-plane`;
const plain = 'a-plain-text-that-nobody-may-find';

let home: Home;
let kubectl: Kubectl;
let access: ClusterAccess;
let box: Box;

beforeAll(async () => {
  home = await makeHome();
  ({ kubectl, access } = await bringUp(home, stack));
  box = await boxOf(home, stack, node);
  await createSecret(kubectl, 'first', plain);
});

afterAll(() => endHome(home));

/** Port-forwards to a port for as long as something is done with the local one. */
const forwarded = async <T>(args: readonly string[], work: (port: number) => Promise<T>): Promise<T> => {
  const forward = spawn(kubectl.program, [...kubectl.who, 'port-forward', ...args]);
  try {
    const line = await new Promise<string>((resolve, reject) => {
      forward.stdout.once('data', (data) => resolve(String(data)));
      forward.stderr.once('data', (data) => reject(new Error(String(data))));
    });
    return await work(Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]));
  } finally {
    forward.kill();
  }
};

it('kubectl logs, exec and port-forward reach the plugin', async () => {
  const pod = await pluginPod(kubectl);
  const inNamespace = ['-n', pluginNamespace];
  expect(await kubectl(...inNamespace, 'logs', pod)).toContain('serving KMS v2');
  const version = await kubectl(...inNamespace, 'exec', pod, '--', '/usr/bin/node', '-p', 'process.version');
  expect(version.trim()).toBe(process.version);
  const metrics = await forwarded([...inNamespace, pod, ':9808'], async (port) =>
    (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
  );
  expect(metrics).toContain('# TYPE');
});

it('etcd is reached as on OpenShift, by its service and the certificates of openshift-config', async () => {
  const read = async (kind: string, name: string) =>
    JSON.parse(await kubectl('-n', 'openshift-config', 'get', kind, name, '-o', 'json')).data;
  const authority = (await read('configmap', 'etcd-ca-bundle'))['ca-bundle.crt'];
  const client = await read('secret', 'etcd-client');
  const [cert, key] = ['tls.crt', 'tls.key'].map((name) => Buffer.from(client[name], 'base64'));
  const kv = await forwarded(['-n', 'openshift-etcd', 'service/etcd', ':2379'], async (port) => {
    const path = '/v3/kv/range';
    const call = request({ host: '127.0.0.1', port, method: 'POST', path, ca: authority, cert, key });
    call.end(JSON.stringify({ key: Buffer.from('/kubernetes.io/secrets/default/first').toString('base64') }));
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    return JSON.parse(await text(answer));
  });
  const stored = Buffer.from(kv.kvs[0].value, 'base64').toString('latin1');
  expect(stored).toMatch(/^k8s:enc:kms:v2:1_secrets:/);
  expect(stored).not.toContain(plain);
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
      const end = Date.now() + 10_000; // kube-proxy and CoreDNS learn of endpoints and services within seconds
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

it('keeps credentials and keys from other users', async () => {
  const dir = home.clusterDir(stack);
  const secret = ['access.json', 'kubeconfig', 'pki/kubernetes-ca.pem', 'pki/etcd-ca.pem', 'pki/service-account.pem'];
  for (const file of [...secret.map((name) => join(dir, name)), join(home.dir, 'passphrase')]) {
    expect((await stat(file)).mode & 0o077, file).toBe(0);
  }
  const keystore = join(box.root, 'var/lib/kms-plugin');
  for (const name of await readdir(keystore)) expect((await stat(join(keystore, name))).mode & 0o077, name).toBe(0);
});
