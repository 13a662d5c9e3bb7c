import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderKubeconfig } from '../../cluster/kubeconfig.ts';
import { loadAuthority, loadServiceAccountKeys } from '../../cluster/pki.ts';
import type { Credential } from '../../common/certificates.ts';
import { Failure } from '../../common/failure.ts';
import { writeFileWhole } from '../../common/files.ts';
import { silentProgress } from '../../common/progress.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import { freePort } from '../tools/freePort.ts';
import { apiServerFlags } from './apiServerFlags.ts';

export interface ApiServerOptions {
  /** Controllers to run in a kube-controller-manager beside it, by their names; none, and no manager, where left out. */
  readonly controllers?: readonly string[];
  /** Further flags of kube-controller-manager. */
  readonly controllerFlags?: readonly string[];
  /** Further flags of kube-apiserver, `--name=value`. */
  readonly flags?: readonly string[];
}

/** A real etcd and kube-apiserver (RBAC, certificates, no kubelet) of this test alone. */
export interface ApiServer {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  /** Content of a kubeconfig whose user is in `system:masters`. */
  readonly kubeconfig: string;
  /** The same as a file. */
  readonly kubeconfigPath: string;
  /** Scratch directory, removed by `stop`. */
  readonly dir: string;
  /** `http://127.0.0.1:<port>` of etcd, for anyone. */
  readonly etcdUrl: string;
  /** Kills kube-apiserver and starts it again on the same port, where it reads its files anew; resolves when it is ready. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Component {
  readonly name: string;
  readonly process: ChildProcess;
  readonly logPath: string;
  readonly ended: Promise<void>;
}

const startComponent = (dir: string, name: string, command: string, args: readonly string[]): Component => {
  const logPath = join(dir, `${name}.log`);
  const log = createWriteStream(logPath);
  const child = spawn(command, args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => log.end(resolve));
    child.once('error', (error) => log.end(error.message, resolve));
  });
  return { name, process: child, logPath, ended };
};

const isReady = (url: string, authority: string, user: Credential): Promise<boolean> =>
  new Promise((resolve) => {
    const request = get(
      `${url}/readyz`,
      { ca: authority, cert: user.certificate, key: user.key, agent: false, timeout: 2_000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on('error', () => resolve(false));
    request.on('timeout', () => request.destroy());
  });

const whenReady = async (components: readonly Component[], probe: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 60_000;
  while (!(await probe())) {
    const dead = components.find(({ process }) => process.exitCode !== null || process.signalCode !== null);
    if (dead !== undefined || performance.now() > deadline) {
      const { name, logPath } = dead ?? components[components.length - 1] ?? { name: 'kube-apiserver', logPath: '' };
      const log = await readFile(logPath, 'utf8').catch(() => 'no log');
      throw new Failure({
        tried: `start ${name}`,
        got: `${dead === undefined ? 'not ready after 60 s' : 'it ended'}:\n${log.split('\n').slice(-20).join('\n')}`,
        next: 'read the log above',
      });
    }
    await sleep(30);
  }
};

/** Starts one in about 3 s on free ports of 127.0.0.1. */
export const startApiServer = async (options: ApiServerOptions = {}): Promise<ApiServer> => {
  const dir = await mkdtemp(join(tmpdir(), 'understudy-apiserver-'));
  const components: Component[] = [];
  const killAll = (): void => {
    for (const { process } of components) process.kill('SIGKILL');
  };
  const stop = async (): Promise<void> => {
    killAll();
    await Promise.all(components.map(({ ended }) => ended));
    process.off('exit', killAll);
    await rm(dir, { recursive: true, force: true });
  };
  process.once('exit', killAll);
  try {
    const programs = await ensurePrograms(['etcd', 'kube-apiserver'], silentProgress);
    const [authority, accountKeys, [securePort = 0, clientPort = 0, peerPort = 0]] = await Promise.all([
      loadAuthority(dir, 'ca'),
      loadServiceAccountKeys(dir),
      Promise.all([freePort(), freePort(), freePort()]),
    ]);
    const [serving, admin] = await Promise.all([
      authority.issue({ commonName: 'kube-apiserver', usages: ['server'], addresses: ['127.0.0.1'] }),
      authority.issue({ commonName: 'test-admin', organization: 'system:masters', usages: ['client'] }),
    ]);
    const url = `https://127.0.0.1:${securePort}`;
    const kubeconfig = renderKubeconfig('test', url, authority.certificate, admin);
    const path = (name: string): string => join(dir, name);
    const files: Record<string, string> = {
      'ca.crt': authority.certificate,
      'serving.crt': serving.certificate,
      'serving.key': serving.key,
      'sa.key': accountKeys.privateKey,
      'sa.pub': accountKeys.publicKey,
      kubeconfig,
    };
    await Promise.all(Object.entries(files).map(([name, content]) => writeFileWhole(path(name), content)));

    const etcdUrl = `http://127.0.0.1:${clientPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    components.push(
      startComponent(dir, 'etcd', programs.etcd, [
        `--data-dir=${path('etcd')}`,
        `--listen-client-urls=${etcdUrl}`,
        `--advertise-client-urls=${etcdUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`,
        '--unsafe-no-fsync',
      ]),
    );
    const startKubeApiServer = (): Component =>
      startComponent(dir, 'kube-apiserver', programs['kube-apiserver'], [
        '--bind-address=127.0.0.1',
        ...apiServerFlags({ etcdUrl, port: securePort, ownDir: dir, sharedDir: dir }),
        ...(options.flags ?? []),
      ]);
    const whenServing = (): Promise<void> => whenReady(components, () => isReady(url, authority.certificate, admin));
    let kubeApiServer = startKubeApiServer();
    components.push(kubeApiServer);
    await whenServing();
    if (options.controllers !== undefined) {
      const manager = await ensurePrograms(['kube-controller-manager'], silentProgress);
      components.push(
        startComponent(dir, 'kube-controller-manager', manager['kube-controller-manager'], [
          `--kubeconfig=${path('kubeconfig')}`,
          `--controllers=${options.controllers.join(',')}`,
          '--leader-elect=false',
          '--secure-port=0',
          ...(options.controllerFlags ?? []),
        ]),
      );
    }
    const restart = async (): Promise<void> => {
      kubeApiServer.process.kill('SIGKILL');
      await kubeApiServer.ended;
      components.splice(components.indexOf(kubeApiServer), 1);
      kubeApiServer = startKubeApiServer();
      components.push(kubeApiServer);
      await whenServing();
    };
    return { url, kubeconfig, kubeconfigPath: path('kubeconfig'), dir, etcdUrl, restart, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
