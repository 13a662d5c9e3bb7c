import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { openSync, watch } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse, stringify } from 'yaml';
import { loadAuthority } from '../../cluster/pki.ts';
import { graceSeconds } from '../../common/apiServerPods.ts';
import { writeFileWhole } from '../../common/files.ts';
import { isApiError, type KubeClient } from '../../common/kubeClient.ts';
import { clientOf } from '../../common/kubeConfig.ts';
import { silentProgress } from '../../common/progress.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import { freePort } from '../tools/freePort.ts';
import { type ApiServer, startApiServer } from './apiServer.ts';
import { apiServerFlags, handoverFlags } from './apiServerFlags.ts';

/** A control-plane node of kubeadm's kind: a folder of manifests, and a stand-in for the kubelet that runs what is in it. */
export interface StaticPodNode {
  readonly name: string;
  readonly manifestsDir: string;
  readonly configurationPath: string;
  /** At the node's own address. */
  readonly own: KubeClient;
  /** At 127.0.0.1. */
  readonly loopback: KubeClient;
  stop(): Promise<void>;
}

interface Manifest {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly [{ readonly command: readonly string[] }] };
}

/** Tells how a container ended, as the kubelet does in the mirror of its static pod. */
const tellEnd = async (client: KubeClient, node: string, { metadata }: Manifest, exitCode: number, log: string) => {
  const name = `${metadata.name}-${node}`;
  const pods = '/api/v1/namespaces/kube-system/pods';
  await client.send({ method: 'DELETE', path: `${pods}/${name}`, query: { gracePeriodSeconds: '0' } }).catch(() => {});
  const body = {
    metadata: { name, annotations: metadata.annotations },
    spec: { automountServiceAccountToken: false, nodeName: node, containers: [{ name: 'main', image: 'none' }] },
  };
  await client.send({ method: 'POST', path: pods, body });
  const terminated = { exitCode, message: log };
  const status = {
    containerStatuses: [{ name: 'main', image: 'none', imageID: '', restartCount: 1, lastState: { terminated } }],
  };
  const contentType = 'application/merge-patch+json';
  await client.send({ method: 'PATCH', path: `${pods}/${name}/status`, body: { status }, contentType });
};

/** Starts what it sees in a folder, ends what goes, and leaves alone what ended by itself. */
const startKubelet = (node: string, dir: string, logDir: string, client: KubeClient) => {
  const running = new Map<string, ChildProcess>();
  const ending = new Set<Promise<void>>();
  const closed = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.once('exit', () => resolve()));

  const begin = (file: string, content: string): void => {
    const manifest = parse(content) as Manifest;
    const [program = '', ...args] = manifest.spec.containers[0].command;
    const logPath = join(logDir, `${manifest.metadata.name}.log`);
    const log = openSync(logPath, 'w');
    const child = spawn(program, args, { stdio: ['ignore', log, log] });
    running.set(file, child);
    child.once('exit', (code) => {
      if (running.get(file) !== child) return;
      void readFile(logPath, 'utf8').then((text) => tellEnd(client, node, manifest, code ?? 1, text.slice(-2_048)));
    });
  };
  const end = (file: string, child: ChildProcess): void => {
    running.delete(file);
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceSeconds * 1000);
    const done = closed(child).then(() => clearTimeout(timer));
    ending.add(done);
    void done.then(() => ending.delete(done));
  };
  let looking: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    const files = (await readdir(dir)).filter((name) => !name.startsWith('.'));
    for (const [file, child] of running) if (!files.includes(file)) end(file, child);
    for (const file of files) if (!running.has(file)) begin(file, await readFile(join(dir, file), 'utf8'));
  };
  const watcher = watch(dir, () => {
    looking = looking.then(look);
  });
  looking = looking.then(look);
  return async (): Promise<void> => {
    watcher.close();
    await looking;
    for (const [file, child] of running) {
      child.kill('SIGKILL');
      end(file, child);
    }
    await Promise.all(ending);
  };
};

const manifestOf = (address: string, command: readonly string[]): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'kube-apiserver', namespace: 'kube-system' },
    spec: { containers: [{ name: 'kube-apiserver', command: [...command, `--advertise-address=${address}`] }] },
  });

/** @param configuration what kube-apiserver begins with */
export const startStaticPodNode = async (configuration: string): Promise<StaticPodNode> => {
  const name = 'control-plane';
  const server: ApiServer = await startApiServer();
  const programs = await ensurePrograms(['kube-apiserver'], silentProgress);
  const address = `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
  const [authority, port] = await Promise.all([loadAuthority(server.dir, 'ca'), freePort()]);
  const addresses = ['127.0.0.1', address];
  const serving = await authority.issue({ commonName: 'kube-apiserver', usages: ['server'], addresses });
  const path = (file: string): string => join(server.dir, file);
  const configurationPath = path('node/encryption-config.yaml');
  const manifestsDir = path('manifests');
  await mkdir(manifestsDir);
  await writeFileWhole(configurationPath, configuration);
  await writeFileWhole(path('node/serving.crt'), serving.certificate);
  await writeFileWhole(path('node/serving.key'), serving.key);
  const command = [
    programs['kube-apiserver'],
    ...apiServerFlags({ etcdUrl: server.etcdUrl, port, ownDir: path('node'), sharedDir: server.dir }),
    ...handoverFlags(configurationPath),
  ];
  await writeFile(join(manifestsDir, 'kube-apiserver.yaml'), manifestOf(address, command));
  const config = new KubeConfig();
  config.loadFromString(server.kubeconfig);
  const beside = clientOf(config);
  const accounts = '/api/v1/namespaces/kube-system/serviceaccounts';
  await beside.send({ method: 'POST', path: accounts, body: { metadata: { name: 'default' } } }).catch((error) => {
    if (!isApiError(error, 409)) throw error;
  });
  const stopKubelet = startKubelet(name, manifestsDir, server.dir, beside);
  const own = clientOf(config, `https://${address}:${port}`);
  const loopback = clientOf(config, `https://127.0.0.1:${port}`);
  return {
    name,
    manifestsDir,
    configurationPath,
    own,
    loopback,
    stop: async () => {
      await stopKubelet();
      for (const client of [own, loopback, beside]) client.close();
      await server.stop();
    },
  };
};
