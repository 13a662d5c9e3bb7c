import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { identityConfiguration } from '../../cluster/encryptionConfiguration.ts';
import { renderKubeconfig } from '../../cluster/kubeconfig.ts';
import { loadAuthority, loadServiceAccountKeys } from '../../cluster/pki.ts';
import type { Authority } from '../../common/certificates.ts';
import { writeFileWhole } from '../../common/files.ts';
import { ApiError, type KubeClient } from '../../common/kubeClient.ts';
import { clientOf } from '../../common/kubeConfig.ts';
import { silentProgress } from '../../common/progress.ts';
import { waitFor } from '../../common/waitFor.ts';
import { bundleService } from '../../image/bundle.ts';
import { kmsBackendDefinition } from '../../operator/kmsBackend.ts';
import { ensureOpenShiftCrds, ensurePrograms } from '../../toolchain/index.ts';
import { freePort } from '../tools/freePort.ts';
import { apiServerFlags, handoverFlags } from './apiServerFlags.ts';

/** A control-plane node without a kubelet: two services of a real kube-apiserver and one of the plugin under a real s6. */
export interface TestNode {
  readonly name: string;
  /** Of the loopback network; the API server is at port 6443. */
  readonly address: string;
  readonly dir: string;
  /** The services are `kube-apiserver-a`, `kube-apiserver-b` and `kms-plugin`. */
  readonly servicesDir: string;
  /** What processes of the node see as `/var/run/kmsplugin`. */
  readonly socketsDir: string;
  readonly configurationPath: string;
  readonly wishPath: string;
  /** Where the installer writes for the health reporter. */
  readonly reporterDir: string;
  readonly client: KubeClient;
  log(service: string): Promise<string>;
  /** Kills all that runs on the node. */
  kill(): Promise<void>;
  /** Starts what was killed, as a box that boots. */
  boot(): Promise<void>;
}

export interface TestCluster {
  readonly nodes: readonly TestNode[];
  readonly kubeconfigPath: string;
  readonly config: KubeConfig;
  /** Of the first node. */
  readonly client: KubeClient;
  readonly etcd: { readonly url: string };
  stop(): Promise<void>;
}

const projectDir = join(import.meta.dirname, '..', '..');
const apiPort = 6443;

const writeService = async (dir: string, name: string, command: readonly string[], startsDown: boolean) => {
  const service = join(dir, 'services', name);
  await mkdir(service, { recursive: true });
  const words = command.map((word) => `'${word}'`).join(' ');
  await writeFile(join(service, 'run'), `#!/bin/sh\nexec ${words} >> '${join(dir, name)}.log' 2>&1\n`, { mode: 0o755 });
  if (startsDown) await writeFile(join(service, 'down'), '');
};

/** In namespaces of its own, so that `/var/run/kmsplugin` is this node's, and one kill ends all. */
const bootScript = (dir: string): string =>
  [
    'set -eu',
    'mount -t tmpfs tmpfs /run',
    'mkdir /run/kmsplugin',
    `mount --bind '${dir}/sockets' /run/kmsplugin`,
    `exec s6-svscan '${dir}/services'`,
  ].join('\n');

const bootNode = (dir: string): ChildProcess => {
  const log = openSync(join(dir, 's6.log'), 'a');
  const args = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child=KILL', 'sh', '-c', bootScript(dir)];
  return spawn('unshare', args, { stdio: ['ignore', log, log] });
};

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

interface Common {
  readonly dir: string;
  readonly authority: Authority;
  readonly etcdUrl: string;
  readonly kubeApiServer: string;
  readonly bundle: string;
  readonly config: KubeConfig;
  readonly children: Set<ChildProcess>;
}

const startNode = async (common: Common, name: string, address: string, seed: string): Promise<TestNode> => {
  const { authority, config, children } = common;
  const dir = join(common.dir, name);
  const configurationPath = join(dir, 'encryption', 'encryption-config.yaml');
  await Promise.all(
    ['sockets', 'plugin', 'encryption', 'reporter', 'services'].map((sub) =>
      mkdir(join(dir, sub), { recursive: true }),
    ),
  );
  const serving = await authority.issue({ commonName: 'kube-apiserver', usages: ['server'], addresses: [address] });
  await writeFileWhole(join(dir, 'serving.crt'), serving.certificate);
  await writeFileWhole(join(dir, 'serving.key'), serving.key);
  await writeFileWhole(configurationPath, identityConfiguration);
  await writeFileWhole(join(dir, 'plugin', 'keystore.json'), JSON.stringify({ seed, versions: {} }));
  const apiServer = [
    common.kubeApiServer,
    `--bind-address=${address}`,
    ...apiServerFlags({ etcdUrl: common.etcdUrl, port: apiPort, ownDir: dir, sharedDir: common.dir }),
    ...handoverFlags(configurationPath),
  ];
  await writeService(dir, 'kube-apiserver-a', apiServer, false);
  await writeService(dir, 'kube-apiserver-b', apiServer, true);
  const plugin = [
    process.execPath,
    common.bundle,
    '--listen-addr=unix:///var/run/kmsplugin/socket.sock',
    '--socket-dir=/var/run/kmsplugin',
    `--keystore-dir=${join(dir, 'plugin')}`,
  ];
  await writeService(dir, 'kms-plugin', plugin, false);
  const client = clientOf(config, `https://${address}:${apiPort}`);
  let box: ChildProcess | undefined;
  const boot = async (): Promise<void> => {
    box = bootNode(dir);
    children.add(box);
    const ready = async () =>
      (await client.send<unknown>({ method: 'GET', path: '/api/v1/namespaces/default' })) && true;
    await waitFor(ready, { what: `kube-apiserver of ${name}`, timeoutMs: 60_000, intervalMs: 50, next: `see ${dir}` });
  };
  await boot();
  return {
    name,
    address,
    dir,
    servicesDir: join(dir, 'services'),
    socketsDir: join(dir, 'sockets'),
    configurationPath,
    wishPath: join(dir, 'plugin', 'wish.json'),
    reporterDir: join(dir, 'reporter'),
    client,
    log: (service) => readFile(join(dir, `${service}.log`), 'utf8'),
    kill: async () => {
      box?.kill('SIGKILL');
      if (box !== undefined) await ended(box);
    },
    boot,
  };
};

const create = async (client: KubeClient, path: string, body: object): Promise<void> => {
  try {
    await client.send({ method: 'POST', path, body });
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
  }
};

const namespaces = [
  'openshift-config',
  'openshift-config-managed',
  'openshift-kube-apiserver',
  'openshift-kube-apiserver-operator',
  'openshift-kms-plugin',
];

const singletons = [
  ['config.openshift.io/v1', 'APIServer', 'apiservers', 'cluster', {}],
  ['operator.openshift.io/v1', 'KubeAPIServer', 'kubeapiservers', 'cluster', { managementState: 'Managed' }],
  ['understudy.dev/v1alpha1', 'KMSBackend', 'kmsbackends', 'cluster', {}],
  ['config.openshift.io/v1', 'ClusterOperator', 'clusteroperators', 'kube-apiserver', {}],
] as const;

/** What the Pulumi program would declare, and what a kubelet would tell of nodes and of the plugin's pods. */
const declareObjects = async (client: KubeClient, nodes: readonly TestNode[]): Promise<void> => {
  const files = await ensureOpenShiftCrds(silentProgress);
  const definitions = await Promise.all(files.map(async (file) => parse(await readFile(file, 'utf8')) as object));
  await Promise.all([
    ...[...definitions, kmsBackendDefinition].map((definition) =>
      create(client, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition),
    ),
    ...namespaces.map((name) => create(client, '/api/v1/namespaces', { metadata: { name } })),
    ...nodes.map((node) => declareNode(client, node)),
  ]);
  await Promise.all(
    singletons.map(([apiVersion, kind, plural, name, spec]) =>
      waitFor(
        async () => {
          await create(client, `/apis/${apiVersion}/${plural}`, {
            apiVersion,
            kind,
            metadata: { name },
            spec,
          });
          return true;
        },
        { what: `kind ${kind}`, timeoutMs: 20_000, intervalMs: 50, next: 'see the log of kube-apiserver' },
      ),
    ),
  );
};

/** What a kubelet would tell of the plugin's pod on a node. */
export const tellPlugin = async (client: KubeClient, { name }: TestNode, ready: boolean): Promise<void> => {
  const pods = '/api/v1/namespaces/openshift-kms-plugin/pods';
  await create(client, '/api/v1/namespaces/openshift-kms-plugin/serviceaccounts', { metadata: { name: 'default' } });
  await create(client, pods, {
    metadata: { name: `kms-plugin-${name}`, labels: { app: 'kms-plugin' } },
    spec: {
      nodeName: name,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'kms-plugin', image: 'kms-plugin' }],
    },
  });
  await client.send({
    method: 'PATCH',
    path: `${pods}/kms-plugin-${name}/status`,
    body: { status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] } },
    contentType: 'application/merge-patch+json',
  });
};

const declareNode = async (client: KubeClient, { name, address }: TestNode): Promise<void> => {
  const labels = { 'node-role.kubernetes.io/control-plane': '' };
  await create(client, '/api/v1/nodes', { metadata: { name, labels } });
  await client.send({
    method: 'PATCH',
    path: `/api/v1/nodes/${name}/status`,
    body: { status: { addresses: [{ type: 'InternalIP', address }] } },
    contentType: 'application/merge-patch+json',
  });
};

/** Starts control-plane nodes with a common etcd, and all objects that operator and installers live by. About 5 s. */
export const startTestCluster = async (nodeCount = 1): Promise<TestCluster> => {
  const dir = await mkdtemp(join(tmpdir(), 'understudy-operator-'));
  const children = new Set<ChildProcess>();
  const killAll = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  const stop = async (): Promise<void> => {
    killAll();
    await Promise.all([...children].map(ended));
    process.off('exit', killAll);
    await rm(dir, { recursive: true, force: true });
  };
  process.once('exit', killAll);
  try {
    const programs = await ensurePrograms(['etcd', 'kube-apiserver'], silentProgress);
    const [authority, accountKeys, clientPort, peerPort, bundle] = await Promise.all([
      loadAuthority(dir, 'ca'),
      loadServiceAccountKeys(dir),
      freePort(),
      freePort(),
      bundleService(join(projectDir, 'plugin', 'main.ts')),
    ]);
    const admin = await authority.issue({
      commonName: 'test-admin',
      organization: 'system:masters',
      usages: ['client'],
    });
    const network = `127.${randomInt(1, 255)}.${randomInt(0, 255)}`;
    const kubeconfig = renderKubeconfig('test', `https://${network}.1:${apiPort}`, authority.certificate, admin);
    const files = {
      'ca.crt': authority.certificate,
      'sa.key': accountKeys.privateKey,
      'sa.pub': accountKeys.publicKey,
      'plugin.mjs': bundle,
      kubeconfig,
    };
    await Promise.all(Object.entries(files).map(([name, content]) => writeFileWhole(join(dir, name), content)));
    const config = new KubeConfig();
    config.loadFromString(kubeconfig);
    const etcdUrl = `http://127.0.0.1:${clientPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const log = openSync(join(dir, 'etcd.log'), 'a');
    const etcd = spawn(
      programs.etcd,
      [
        `--data-dir=${join(dir, 'etcd')}`,
        `--listen-client-urls=${etcdUrl}`,
        `--advertise-client-urls=${etcdUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`,
        '--unsafe-no-fsync',
      ],
      { stdio: ['ignore', log, log] },
    );
    children.add(etcd);
    const seed = randomBytes(32).toString('base64');
    const common: Common = {
      dir,
      authority,
      etcdUrl,
      kubeApiServer: programs['kube-apiserver'],
      bundle: join(dir, 'plugin.mjs'),
      config,
      children,
    };
    const names = Array.from({ length: nodeCount }, (_, i) => `control-plane${i === 0 ? '' : i + 1}`);
    const nodes = await Promise.all(names.map((name, i) => startNode(common, name, `${network}.${i + 1}`, seed)));
    const [first] = nodes;
    if (first === undefined) throw new Error('a cluster has one node at least');
    await declareObjects(first.client, nodes);
    return {
      nodes,
      kubeconfigPath: join(dir, 'kubeconfig'),
      config,
      client: first.client,
      etcd: { url: etcdUrl },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
