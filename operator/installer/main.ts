import { manifestsDir } from '../../common/apiServerPods.ts';
import { endSignal } from '../../common/endSignal.ts';
import { clientOf, loadConfig } from '../../common/kubeConfig.ts';
import { createLog } from '../../common/log.ts';
import type { ApiServerProcess } from './apiServerProcess.ts';
import { runInstaller } from './installer.ts';
import { manifestFolder } from './manifestFolder.ts';
import { pluginAt } from './plugin.ts';
import { openReporterFiles } from './reporterFiles.ts';
import { s6ApiServer } from './s6ApiServer.ts';
import { staticPodApiServer } from './staticPodApiServer.ts';

const apiPort = 6443;

/** What the pod of the installer is told of its node, by the downward API. */
export interface NodeIdentity {
  readonly node: string;
  /** InternalIP. */
  readonly address: string;
}

/** What runs kube-apiserver on this node. */
export const apiServerKinds = ['s6', 'static-pod'] as const;
export type ApiServerKind = (typeof apiServerKinds)[number];

/** Runs the installer of a control-plane node in its pod, until SIGTERM. */
export const installerMain = async ({ node, address }: NodeIdentity, kind: ApiServerKind): Promise<void> => {
  const log = createLog();
  const signal = endSignal();
  const config = loadConfig();
  const host = address.includes(':') ? `[${address}]` : address;
  const own = clientOf(config, `https://${host}:${apiPort}`);
  const loopback = clientOf(config, `https://127.0.0.1:${apiPort}`);
  const any = clientOf(config);
  const apiServers: Readonly<Record<ApiServerKind, () => ApiServerProcess>> = {
    s6: () =>
      s6ApiServer({
        servicesDir: '/run/services',
        services: ['kube-apiserver-a', 'kube-apiserver-b'],
        // While both run, -b alone has this node's address, and -a alone the loopback's.
        clients: [own, loopback],
        readyWithinMs: 60_000,
        log,
      }),
    'static-pod': () =>
      staticPodApiServer({
        node,
        manifests: manifestFolder(manifestsDir),
        own,
        loopback,
        // A container is to be made, on a machine that may be busy with others.
        readyWithinMs: 120_000,
        log,
      }),
  };
  const apiServer = apiServers[kind]();
  log.info({ node, address, kind }, 'installer started');
  await runInstaller({
    node,
    clients: [own, any],
    configurationPath: '/etc/kubernetes/encryption/encryption-config.yaml',
    wishPath: '/var/lib/kms-plugin/wish.json',
    reporterFiles: openReporterFiles('/etc/kubernetes/kms-health-reporter', own.server),
    plugin: pluginAt('/var/run/kmsplugin'),
    apiServer,
    log,
    signal,
  });
  own.close();
  loopback.close();
  any.close();
  log.info('ended');
};
