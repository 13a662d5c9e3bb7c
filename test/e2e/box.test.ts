import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { administratorClient, type ClusterAccess } from '../../cluster/access.ts';
import type { ApiClient } from '../../cluster/apiClient.ts';
import { encryptionConfigurationPath } from '../../cluster/encryptionConfiguration.ts';
import { readEtcd } from '../../cluster/etcd.ts';
import type { ClusterSpec } from '../../cluster/plan.ts';
import { removeCluster } from '../../cluster/remove.ts';
import { startCluster } from '../../cluster/start.ts';
import { gatherSupplies } from '../../cluster/supplies.ts';
import { tryExec } from '../../common/exec.ts';
import { silentProgress } from '../../common/progress.ts';
import { type Box, boxOf } from './support/boxes.ts';
import { eventually, type Home, makeHome } from './support/home.ts';
import { type Service, serviceOf } from './support/services.ts';
import { startSingleTries } from './support/singleTries.ts';

const stack = 'turns';
const spec: ClusterSpec = { name: stack, controlPlanes: 1, workers: 0, egress: false, openshift: true };
const secrets = '/api/v1/namespaces/default/secrets';

let home: Home;
let access: ClusterAccess;
let box: Box;

const start = async (): Promise<void> => {
  access = await startCluster(spec, home.clusterDir(stack), await gatherSupplies(silentProgress), silentProgress);
};

beforeAll(async () => {
  home = await makeHome();
  await home.writeStack(stack);
  await start();
  box = await boxOf(home, stack, `${stack}-control-plane`);
});

afterAll(async () => {
  await removeCluster(home.clusterDir(stack), silentProgress);
  await home.remove();
});

const withApi = async <T>(work: (api: ApiClient) => Promise<T>): Promise<T> => {
  const api = administratorClient(access);
  try {
    return await work(api);
  } finally {
    api.close();
  }
};

/** Asks as administrator from inside the box, all of it by one connection; the bodies, then the last status. */
const askInside = async (address: string, ...paths: readonly string[]): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'api-client-'));
  try {
    const { authorityCertificate, administrator } = access;
    const files = { ca: authorityCertificate, cert: administrator.certificate, key: administrator.key };
    await Promise.all(Object.entries(files).map(([name, pem]) => writeFile(join(dir, name), pem, { mode: 0o600 })));
    const who = ['--cacert', join(dir, 'ca'), '--cert', join(dir, 'cert'), '--key', join(dir, 'key')];
    const urls = paths.map((path) => `https://${address}:${access.api.port}${path}`);
    return (await box.inNetwork('curl', '--silent', '--write-out', ' %{http_code}', ...who, ...urls)).stdout;
  } finally {
    await rm(dir, { recursive: true });
  }
};

const startOf = (answer: string): number => Number(/^process_start_time_seconds (\S+)$/m.exec(answer)?.[1]);

/** While both run, one has the node's address and the other one the loopback's; see docs/architecture.md. */
const isReady = async (address: string, startedAfter: number): Promise<true | undefined> => {
  const answer = await askInside(address, '/metrics', '/readyz');
  return startOf(answer) > startedAfter && answer.endsWith('ok 200') ? true : undefined;
};

const handOver = async (from: Service, to: Service, address: string): Promise<void> => {
  const before = startOf(await askInside(access.api.host, '/metrics'));
  await to.ask('u');
  await eventually('the next API server ready', () => isReady(address, before), 30_000);
  await from.ask('d');
  await eventually('the last API server ended', async () => ((await from.pid()) === undefined ? true : undefined));
};

it('an API server takes over from the other by the files of their services, and nobody is refused', async () => {
  const [a, b] = await Promise.all(['kube-apiserver-a', 'kube-apiserver-b'].map((name) => serviceOf(box, name)));
  if (a === undefined || b === undefined) throw new Error('no services');
  expect([await a.pid(), await b.pid()]).toEqual([expect.any(Number), undefined]);
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kept' }, stringData: { plain: 'kept' } };
  await withApi((api) => api.ask('POST', secrets, secret));
  const tries = startSingleTries(access, `${secrets}/kept`);
  try {
    await handOver(a, b, access.api.host);
    expect([await a.pid(), await b.pid()]).toEqual([undefined, expect.any(Number)]);
    const { stdout } = await home.run('logs', 'kube-apiserver', stack);
    expect(stdout).toMatch(/kube-apiserver-a\/current <==\n[^=]+\n.*kube-apiserver-b\/current <==\n[^=]+/s);
    await handOver(b, a, '127.0.0.1');
    expect([await a.pid(), await b.pid()]).toEqual([expect.any(Number), undefined]);
    const { body } = await withApi((api) => api.ask('GET', '/api/v1/namespaces/default/endpoints/kubernetes'));
    expect(JSON.parse(body).subsets[0].addresses).toEqual([{ ip: access.api.host }]);
  } finally {
    await tries.stop();
  }
  const { 200: answered, ECONNRESET: reset = 0, EPIPE: broken = 0, ...others } = Object.fromEntries(tries.outcomes);
  expect(others).toEqual({});
  expect(answered).toBeGreaterThan(100);
  // Those that were under way when one of the two ended.
  expect(reset + broken).toBeLessThan(10);
});

it('an API server that dies comes back as the same service, and its turn stays', async () => {
  const idle = await serviceOf(box, 'kube-apiserver-b');
  await box.killComponent('kube-apiserver');
  await eventually('the API server again', () => withApi(async (api) => (await api.ask('GET', '/livez')).status));
  expect(await idle.pid()).toBeUndefined();
});

it("etcd answers inside the box on its loopback, by the certificates that the cluster publishes, in OpenShift's shape", async () => {
  const keys: string[] = [];
  for await (const { key } of readEtcd(access, '/')) keys.push(key);
  expect(keys).toContain('/kubernetes.io/namespaces/default');
  expect(keys.filter((key) => !key.startsWith('/kubernetes.io/'))).toEqual([]);
  const dir = await mkdtemp(join(tmpdir(), 'etcd-client-'));
  try {
    const { authorityCertificate, published } = access.etcd;
    const files = { ca: authorityCertificate, cert: published.certificate, key: published.key };
    await Promise.all(Object.entries(files).map(([name, pem]) => writeFile(join(dir, name), pem, { mode: 0o600 })));
    const who = ['--cacert', join(dir, 'ca'), '--cert', join(dir, 'cert'), '--key', join(dir, 'key')];
    const question = JSON.stringify({ key: Buffer.from('/kubernetes.io/namespaces/default').toString('base64') });
    for (const host of ['127.0.0.1', 'localhost']) {
      const ask = ['curl', '--silent', '--show-error', ...who, '--data', question, `https://${host}:2379/v3/kv/range`];
      const { stdout, stderr } = await box.inNetwork(...ask);
      expect(JSON.parse(stdout || '{}').count, stderr).toBe('1');
    }
  } finally {
    await rm(dir, { recursive: true });
  }
});

it('a box that starts again keeps its encryption configuration, and does not wait for plugins that cannot run yet', async () => {
  const file = join(box.root, encryptionConfigurationPath);
  const kms = (resource: string): object => {
    const endpoint = 'unix:///var/run/kmsplugin/kms-1.sock';
    return { kms: { apiVersion: 'v2', name: `1_${resource}`, endpoint, timeout: '10s' } };
  };
  const configuration = JSON.stringify({
    kind: 'EncryptionConfiguration',
    apiVersion: 'apiserver.config.k8s.io/v1',
    resources: ['configmaps', 'secrets'].map((resource) => ({
      resources: [resource],
      providers: [kms(resource), { identity: {} }],
    })),
  });
  await writeFile(file, configuration);
  for (const pid of await box.processes()) await tryExec('kill', ['-KILL', String(pid)]);
  await eventually('the end of the box', async () => ((await box.processes()).length === 0 ? true : undefined));
  const began = performance.now();
  await start();
  // Two providers of 10 s each would take longer.
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(await readFile(file, 'utf8')).toBe(configuration.replaceAll('10s', '200ms'));
  expect((await withApi((api) => api.ask('GET', `${secrets}/kept`))).status).toBe(200);
  expect((await withApi((api) => api.ask('POST', secrets, { metadata: { name: 'new' } }))).status).toBe(500);
});
