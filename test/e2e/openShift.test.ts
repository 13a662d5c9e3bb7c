import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { tryExec } from '../../common/exec.ts';
import { freePort } from '../tools/freePort.ts';
import { credentialsFor, type RegistryServer, serveRegistry } from '../tools/registryServer.ts';
import { type Box, boxOf } from './support/boxes.ts';
import { endHome, entry, eventually, type Finished, type Home, makeHome, pinnedNode } from './support/home.ts';
import { type Kubectl, pluginNamespace } from './support/kubectl.ts';
import { dressAsOpenShift, removeOwnPlugin, reshape } from './support/openShift.ts';
import { bringUp, type UpStack } from './support/upStack.ts';

const host = 'host';
const gate = 'KMSEncryption';

let home: Home;
let cluster: UpStack;
let kubectl: Kubectl;
let box: Box;
let images: string;
let registries: readonly RegistryServer[];
let registry: string;
let kubeconfig: string;

const stackFile = (stack: string): string => join(home.stacksDir, `Pulumi.${stack}.yaml`);

const writeCloudStack = async (
  stack: string,
  {
    cloud = {},
    ...settings
  }: { readonly cloud?: object; readonly platform?: string; readonly encryption?: string } = {},
): Promise<void> => {
  const all = { platform: 'aws', ...settings, cloud: { registry, kubeconfig, ...cloud } };
  const config = Object.fromEntries(Object.entries(all).map(([key, value]) => [`understudy:${key}`, value]));
  await writeFile(stackFile(stack), stringify({ config }));
};

const setCredentials = async (stack: string, credentials: string): Promise<void> => {
  const command = [entry, 'secret', 'set', 'registryCredentials', stack];
  const { code, stderr } = await tryExec(pinnedNode, command, { env: home.env, input: credentials });
  expect(code, stderr).toBe(0);
};

const runs = async (...args: readonly string[]): Promise<Finished> => {
  const finished = await home.run(...args);
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
  return finished;
};

const fails = async (code: number, message: RegExp, ...args: readonly string[]): Promise<void> => {
  const finished = await home.run(...args);
  expect([finished.code, finished.stderr]).toEqual([code, expect.stringMatching(message)]);
};

const encryption = async (): Promise<{
  readonly type?: string;
  readonly kms?: { vault: { kmsPluginImage: string } };
}> => JSON.parse(await kubectl('get', 'apiserver', 'cluster', '-o', 'json')).spec.encryption ?? {};

/** What no stack on the cluster has left. */
const isUntouched = async (): Promise<void> => {
  expect((await encryption()).type ?? 'identity').toBe('identity');
  expect(await kubectl('get', 'apiserver', 'cluster', '-o', 'jsonpath={.metadata.annotations}')).not.toContain(
    registry,
  );
  const labelled = ['namespaces', 'securitycontextconstraints'].map((kind) =>
    kubectl('get', kind, '-l', 'understudy.dev/stack', '-o', 'name'),
  );
  expect(await Promise.all(labelled)).toEqual(['', '']);
  const secrets = [
    'get',
    'secrets',
    '-n',
    'openshift-config',
    '-l',
    'understudy.dev/stack in (aws, gcp)',
    '-o',
    'name',
  ];
  expect(await kubectl(...secrets)).toBe('');
};

beforeAll(async () => {
  home = await makeHome();
  cluster = await bringUp(home, host, { encryption: 'identity' });
  kubectl = cluster.kubectl;
  kubeconfig = join(home.clusterDir(host), 'kubeconfig');
  box = await boxOf(home, host, `${host}-control-plane`);
  images = await mkdtemp(join(tmpdir(), 'images-'));
  const port = await freePort();
  // One registry at two loopbacks: of this machine, which pushes, and of the node, which pulls.
  registries = await Promise.all([
    serveRegistry({ port, images }),
    serveRegistry({ port, images, networkOf: await box.pid() }),
  ]);
  registry = `127.0.0.1:${port}/understudy`;
  await writeCloudStack('aws');
  await writeCloudStack('gcp', {
    platform: 'gcp',
    encryption: 'identity',
    cloud: { deployment: 'daemonset' },
  });
});

afterAll(async () => {
  await Promise.all((registries ?? []).map((one) => one.end()));
  await rm(images, { recursive: true, force: true });
  await endHome(home);
});

describe('refuses what is no cluster for it, and changes nothing', () => {
  it('a cluster that is no OpenShift', async () => {
    await fails(1, /could not use this cluster for stack aws.*: it is no OpenShift/, 'up', 'aws');
  });

  it('another platform, and a cluster without the feature gate', async () => {
    await dressAsOpenShift(kubectl, { platform: 'GCP', gates: [] });
    await fails(1, /the stack's platform is aws, and the cluster is on GCP/, 'up', 'aws');
    await reshape(kubectl, { platform: 'AWS', gates: [] });
    await fails(1, /feature gate KMSEncryption is off.*\n {2}next: .*TechPreviewNoUpgrade/s, 'up', 'aws');
    await reshape(kubectl, { platform: 'AWS', gates: [gate] });
  });

  it('a user who may not, one whose credentials have expired, a server that does not answer, no kubeconfig', async () => {
    await kubectl('create', 'serviceaccount', 'reader');
    await kubectl('create', 'clusterrolebinding', 'reader', '--clusterrole=view', '--serviceaccount=default:reader');
    await kubectl(
      'create',
      'clusterrole',
      'looks',
      '--verb=get',
      '--resource=clusterversions.config.openshift.io,infrastructures.config.openshift.io,featuregates.config.openshift.io,apiservers.config.openshift.io,nodes',
    );
    await kubectl('create', 'clusterrolebinding', 'looks', '--clusterrole=looks', '--serviceaccount=default:reader');
    const token = (await kubectl('create', 'token', 'reader')).trim();
    const server = await kubectl('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}');
    const as = async (name: string, user: object, address: string): Promise<string> => {
      const path = join(home.stacksDir, name);
      const content = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'a',
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
        clusters: [{ name: 'a', cluster: { server: address, 'insecure-skip-tls-verify': true } }],
        users: [{ name: 'a', user }],
      };
      await writeFile(path, JSON.stringify(content));
      return path;
    };
    await writeCloudStack('aws', { cloud: { kubeconfig: await as('reader', { token }, server) } });
    await fails(
      1,
      /its user may not patch apiservers\.config\.openshift\.io\/cluster, .*create secrets in openshift-config/,
      'up',
      'aws',
    );
    await writeCloudStack('aws', { cloud: { kubeconfig: await as('expired', { token: 'a.b.c' }, server) } });
    await fails(1, /does not take the credentials in .*expired.*next: log in again/s, 'up', 'aws');
    await fails(1, /does not take the credentials/, 'down', 'aws');
    const nobody = `https://127.0.0.1:${await freePort()}`;
    await writeCloudStack('aws', { cloud: { kubeconfig: await as('nobody', { token }, nobody) } });
    await fails(1, /ECONNREFUSED.*next: check that the cluster runs/s, 'up', 'aws');
    await writeCloudStack('aws', { cloud: { kubeconfig: join(home.stacksDir, 'none') } });
    await fails(2, /ENOENT.*next: let KUBECONFIG/s, 'up', 'aws');
    await writeCloudStack('aws', { cloud: { kubeconfig: undefined } });
    await fails(2, /KUBECONFIG is not set/, 'up', 'aws');
    await writeCloudStack('aws');
  });

  it('a registry that refuses: the cluster has not been touched', async () => {
    await setCredentials('aws', credentialsFor(registry.split('/')[0] ?? '', 'wrong'));
    const config = Buffer.from(credentialsFor(registry.split('/')[0] ?? '')).toString('base64');
    const none = `--from-literal=.dockerconfigjson=${JSON.stringify({ auths: {} })}`;
    await kubectl('create', 'secret', 'generic', 'pull-secret', '-n', 'openshift-config', none);
    await fails(1, /pull secret has no credentials for 127\.0\.0\.1:\d+/, 'up', 'aws');
    await kubectl(
      'patch',
      'secret',
      'pull-secret',
      '-n',
      'openshift-config',
      '-p',
      JSON.stringify({ data: { '.dockerconfigjson': config } }),
    );
    await fails(
      1,
      /could not push 127\.0\.0\.1:\d+\/understudy\/kms-plugin:[0-9a-f]{12}.*next: give credentials/s,
      'up',
      'aws',
    );
    await isUntouched();
  });
});

describe('sidecar', () => {
  // The local stack's own, of the name that a stack on an OpenShift gives its own.
  beforeAll(() => kubectl('delete', 'secret', 'understudy-approle', '-n', 'openshift-config'));

  it('has the operator encrypt by the image in the registry, by digest', async () => {
    await setCredentials('aws', credentialsFor(registry.split('/')[0] ?? ''));
    const sharedDir = join(home.stacksDir, 'shared');
    await mkdir(sharedDir);
    const { stdout, stderr, code } = await tryExec(pinnedNode, [entry, 'up', 'aws', '--json'], {
      env: { ...home.env, SHARED_DIR: sharedDir },
    });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stack: 'aws', encryption: 'KMS', plugin: null, nodes: 1 });
    const { type, kms } = await encryption();
    expect(type).toBe('KMS');
    const image = kms?.vault.kmsPluginImage ?? '';
    expect(image).toMatch(new RegExp(`^${registry}/kms-plugin@sha256:[0-9a-f]{64}$`));
    expect(await readFile(join(sharedDir, 'vault-kms-plugin-image'), 'utf8')).toBe(image);
    expect(
      await kubectl('get', 'secret', 'understudy-approle', '-n', 'openshift-config', '-o', 'jsonpath={.data}'),
    ).toMatch(/role-id.*secret-id/);
    expect((await runs('verify', 'aws')).stdout).toContain('Encryption is proven.');
  });

  it('changes nothing the second time, and tells its status', async () => {
    expect((await runs('up', 'aws')).stdout).toContain(' 0 resources changed');
    const status = JSON.parse((await runs('status', 'aws', '--json')).stdout);
    expect(status).toMatchObject({ platform: 'aws', cluster: { ready: true }, encryption: { type: 'KMS' } });
    expect((await runs('kubectl', '--stack', 'aws', 'get', 'nodes', '-o', 'name')).stdout).toBe(
      `node/${host}-control-plane\n`,
    );
  });

  it("leaves to the cluster what is the cluster's", async () => {
    await fails(2, /OpenShift's own operators have the KMS plugins/, 'rotate', 'aws');
    await fails(2, /OpenShift's own operators have the KMS plugins/, 'fault', 'set', 'hang', '--stack', 'aws');
    await fails(2, /runs nothing there but a DaemonSet/, 'logs', 'kubelet', 'aws');
  });

  it('has no credentials of the registry in its state', async () => {
    const state = await readFile(home.statePath('aws'), 'utf8');
    expect(state).not.toContain(Buffer.from(credentialsFor('x')).toString('base64').slice(0, 20));
    expect(state).not.toMatch(/open sesame|BEGIN|client-key-data/);
  });

  it('refuses to go on, or down, with the kubeconfig of another cluster', async () => {
    const record = join(home.clusterDir('aws'), 'cloud.json');
    const kept = await readFile(record, 'utf8');
    await writeFile(record, JSON.stringify({ ...JSON.parse(kept), clusterID: 'another' }));
    await fails(1, /stack aws is up on another cluster: another/, 'up', 'aws');
    await fails(1, /it is up on cluster another/, 'down', 'aws');
    await writeFile(record, kept);
  });

  it('goes, everything decrypted first; twice', async () => {
    expect((await runs('down', 'aws')).stdout).toMatch(/Stack aws is gone/);
    await isUntouched();
    await cluster.verifies();
    expect((await runs('down', 'aws')).stdout).toMatch(/was not up/);
  });

  it('is undone where up was killed and the engine has lost its state', async () => {
    const up = home.start('up', 'aws');
    await up.says(/created Command encryption-kms/);
    process.kill(-up.pid, 'SIGKILL');
    await up.finished;
    await rm(home.statePath('aws'));
    await runs('down', 'aws');
    await isUntouched();
    await cluster.verifies();
  });
});

describe('daemonset', () => {
  const pods = (path: string): Promise<string> =>
    kubectl('-n', pluginNamespace, 'get', 'pods', '-l', 'app=kms-plugin', '-o', `jsonpath={.items[0]${path}}`);

  it("refuses a namespace that is somebody else's", async () => {
    await reshape(kubectl, { platform: 'GCP', gates: [] });
    await setCredentials('gcp', credentialsFor(registry.split('/')[0] ?? ''));
    await fails(1, /namespace openshift-kms-plugin of somebody else/, 'up', 'gcp');
    await removeOwnPlugin(kubectl);
  });

  it('is on the control-plane nodes, pulled with credentials, held to its constraints', async () => {
    const { stdout } = await runs('up', 'gcp');
    expect(stdout).toMatch(/KMS plugin ready on 1 of 1 control-plane nodes after \d/);
    expect(await pods('.spec.containers[0].image')).toMatch(new RegExp(`^${registry}/kms-plugin@sha256:`));
    expect(await pods('.spec.nodeSelector')).toBe('{"node-role.kubernetes.io/master":""}');
    expect(await kubectl('get', 'securitycontextconstraints', 'understudy-kms-plugin', '-o', 'jsonpath={.users}')).toBe(
      `["system:serviceaccount:${pluginNamespace}:kms-plugin"]`,
    );
    expect((await stat(`/proc/${await box.pid()}/root/var/run/kmsplugin/socket.sock`)).isSocket()).toBe(true);
    expect((await runs('verify', 'gcp')).stdout).toContain('Encryption is off');
    expect((await runs('logs', 'kms-plugin', 'gcp')).stdout).toMatch(/"level":"?info/);
  });

  it('leaves nothing where up was killed, not even by an engine that has lost its state', async () => {
    await runs('down', 'gcp');
    await isUntouched();
    const up = home.start('up', 'gcp');
    await up.says(/created DaemonSet|created Namespace/);
    process.kill(-up.pid, 'SIGKILL');
    await up.finished;
    await rm(home.statePath('gcp'));
    await runs('down', 'gcp');
    await isUntouched();
    await eventually('its process gone', async () =>
      (await box.pidWith('--listen-addr=unix:///var/run/kmsplugin/socket.sock')) === undefined ? true : undefined,
    );
  });
});
