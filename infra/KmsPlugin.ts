import { DaemonSet } from '@pulumi/kubernetes/apps/v1/daemonSet.js';
import { Namespace } from '@pulumi/kubernetes/core/v1/namespace.js';
import { ServiceAccount } from '@pulumi/kubernetes/core/v1/serviceAccount.js';
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi';
import { type HealthReporterArgs, healthReporterContainer, healthReporterVolume } from './HealthReporter.ts';
import {
  keystoreDir,
  kmsPluginContainer,
  pluginSecurityContext,
  socketDir,
  socketMount,
  socketVolume,
} from './kmsPluginContainer.ts';

export interface KmsPluginArgs {
  /** Reference of the plugin's image; the nodes have it. */
  readonly image: Input<string>;
  readonly healthReporter: HealthReporterArgs;
}

/** The KMS v2 plugin on every control-plane node, at `/var/run/kmsplugin`: `kms-<N>.sock` for key N. Beside it, who watches it. */
export class KmsPlugin extends ComponentResource {
  /** Known once a plugin is ready on every control-plane node. */
  readonly daemonSetId: Output<string>;

  constructor(name: string, args: KmsPluginArgs, options?: ComponentResourceOptions) {
    super('understudy:index:KmsPlugin', name, {}, options);
    const parent = { parent: this };
    const namespace = new Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: 'openshift-kms-plugin',
          // For the host's socket directory.
          labels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
        },
      },
      parent,
    );
    const account = new ServiceAccount(
      `${name}-account`,
      {
        metadata: { namespace: namespace.metadata.name, name: 'kms-plugin' },
        automountServiceAccountToken: false,
      },
      parent,
    );
    const labels = { app: 'kms-plugin' };
    const daemonSet = new DaemonSet(
      `${name}-daemonset`,
      {
        metadata: { namespace: namespace.metadata.name, name: 'kms-plugin', labels },
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              serviceAccountName: account.metadata.name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              priorityClassName: 'system-node-critical',
              nodeSelector: { 'node-role.kubernetes.io/control-plane': '' },
              tolerations: [{ operator: 'Exists' }],
              terminationGracePeriodSeconds: 10,
              containers: [
                kmsPluginContainer({
                  image: args.image,
                  imagePullPolicy: 'Never',
                  flags: [`--socket-dir=${socketDir}`],
                }),
                healthReporterContainer(args.healthReporter, socketMount, pluginSecurityContext),
              ],
              volumes: [
                socketVolume,
                { name: 'keystore', hostPath: { path: keystoreDir, type: 'DirectoryOrCreate' } },
                healthReporterVolume,
              ],
            },
          },
        },
      },
      parent,
    );
    this.daemonSetId = daemonSet.id;
    this.registerOutputs({ daemonSetId: this.daemonSetId });
  }
}
