import type { types } from '@pulumi/kubernetes';
import type { Input } from '@pulumi/pulumi';
import { livenessProbe } from './serviceDeployment.ts';

/** Where the plugin's sockets are, on the node and in its container. */
export const socketDir = '/var/run/kmsplugin';
/** Where its keystore is in the container. */
export const keystoreDir = '/var/lib/kms-plugin';
export const socketMount = { name: 'socket', mountPath: socketDir };
export const socketVolume = { name: 'socket', hostPath: { path: socketDir, type: 'DirectoryOrCreate' } };

const metricsPort = 9808;

/** What the plugin, and whoever is beside it, is held to. */
export const pluginSecurityContext = {
  // The sockets and the keys belong to root, as kube-apiserver does.
  runAsUser: 0,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

export interface KmsPluginContainerArgs {
  readonly image: Input<string>;
  readonly imagePullPolicy: 'Never' | 'IfNotPresent';
  /** Flags beside those of every plugin in a pod: `--socket-dir=…`. */
  readonly flags: readonly string[];
}

/** The plugin; its pod has volumes `socket` and `keystore`. */
export const kmsPluginContainer = ({
  image,
  imagePullPolicy,
  flags,
}: KmsPluginContainerArgs): types.input.core.v1.Container => ({
  name: 'kms-plugin',
  image,
  imagePullPolicy,
  args: [
    `--listen-addr=unix://${socketDir}/socket.sock`,
    ...flags,
    `--keystore-dir=${keystoreDir}`,
    `--metrics-addr=:${metricsPort}`,
  ],
  ports: [{ name: 'metrics', containerPort: metricsPort }],
  readinessProbe: { httpGet: { path: '/readyz', port: 'metrics' }, periodSeconds: 1 },
  livenessProbe: livenessProbe('metrics'),
  resources: { requests: { cpu: '10m', memory: '64Mi' } },
  securityContext: pluginSecurityContext,
  volumeMounts: [socketMount, { name: 'keystore', mountPath: keystoreDir }],
});
