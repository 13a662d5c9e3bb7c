import { local } from '@pulumi/command';
import { CustomResource } from '@pulumi/kubernetes/apiextensions/customResource.js';
import { DaemonSet } from '@pulumi/kubernetes/apps/v1/daemonSet.js';
import { Namespace } from '@pulumi/kubernetes/core/v1/namespace.js';
import { Secret } from '@pulumi/kubernetes/core/v1/secret.js';
import { ServiceAccount } from '@pulumi/kubernetes/core/v1/serviceAccount.js';
import { ComponentResource, type ComponentResourceOptions, type Input, type Output, secret } from '@pulumi/pulumi';
import { stackLabel } from '../../common/stackLabel.ts';
import { understudyCommand } from '../command.ts';
import { kmsPluginContainer, socketVolume } from '../kmsPluginContainer.ts';
import { pluginConstraints } from './securityContextConstraints.ts';

export interface PluginDaemonSetArgs {
  readonly stackName: string;
  /** By digest, in a registry. */
  readonly image: Input<string>;
  /** Docker's config.json as text, for its pods to pull with; secret. */
  readonly registryCredentials?: Output<string>;
}

/** Where OpenShift users know it to be. */
const account = { namespace: 'openshift-kms-plugin', name: 'kms-plugin' };
const constraintsName = 'understudy-kms-plugin';
const keystoreName = 'kms-plugin-keystore';
const pullSecretName = 'registry-credentials';
const ownerOnly = 0o600;

/** The KMS v2 plugin on every control-plane node of an OpenShift, at `/var/run/kmsplugin/socket.sock`, all with the same keys. */
export class PluginDaemonSet extends ComponentResource {
  constructor(name: string, args: PluginDaemonSetArgs, options?: ComponentResourceOptions) {
    super('understudy:cloud:PluginDaemonSet', name, {}, options);
    const labels = { app: account.name, [stackLabel]: args.stackName };
    const namespace = new Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: account.namespace,
          // For the host's socket directory.
          labels: { ...labels, 'pod-security.kubernetes.io/enforce': 'privileged' },
        },
      },
      { parent: this },
    );
    const inNamespace = { parent: this, dependsOn: [namespace] };
    const pullSecret = args.registryCredentials && this.pullSecret(name, labels, args.registryCredentials, namespace);
    const serviceAccount = new ServiceAccount(
      `${name}-account`,
      { metadata: { ...account, labels }, automountServiceAccountToken: false },
      inNamespace,
    );
    const user = `system:serviceaccount:${account.namespace}:${account.name}`;
    const constraints = new CustomResource(`${name}-constraints`, pluginConstraints(constraintsName, user, labels), {
      parent: this,
    });
    const keystore = this.keystore(name, labels, namespace);
    new DaemonSet(
      `${name}-daemonset`,
      {
        metadata: { ...account, labels },
        spec: {
          selector: { matchLabels: { app: account.name } },
          template: {
            metadata: { labels, annotations: { 'openshift.io/required-scc': constraintsName } },
            spec: {
              serviceAccountName: account.name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              priorityClassName: 'system-node-critical',
              nodeSelector: { 'node-role.kubernetes.io/master': '' },
              tolerations: [{ operator: 'Exists' }],
              terminationGracePeriodSeconds: 10,
              ...(pullSecret && { imagePullSecrets: [{ name: pullSecretName }] }),
              containers: [kmsPluginContainer({ image: args.image, imagePullPolicy: 'IfNotPresent', flags: [] })],
              volumes: [
                socketVolume,
                // Nothing of it stays on a node that is somebody else's.
                { name: 'keystore', secret: { secretName: keystoreName, defaultMode: ownerOnly } },
              ],
            },
          },
        },
      },
      {
        parent: this,
        dependsOn: [serviceAccount, constraints, keystore, ...(pullSecret ? [pullSecret] : [])],
        customTimeouts: { create: '10m', update: '10m' },
      },
    );
    this.registerOutputs();
  }

  private pullSecret(name: string, labels: object, credentials: Output<string>, namespace: Namespace): Secret {
    return new Secret(
      `${name}-pull-secret`,
      {
        metadata: { namespace: account.namespace, name: pullSecretName, labels: { ...labels } },
        type: 'kubernetes.io/dockerconfigjson',
        stringData: { '.dockerconfigjson': credentials },
      },
      { parent: this, dependsOn: [namespace] },
    );
  }

  /** Made once for the stack, and kept in its state as a secret: all plugins have to have the same keys. */
  private keystore(name: string, labels: object, namespace: Namespace): Secret {
    const made = new local.Command(
      `${name}-keystore-made`,
      { create: understudyCommand('plumbing', 'make-keystore'), logging: 'stderr' },
      { parent: this, additionalSecretOutputs: ['stdout'] },
    );
    return new Secret(
      `${name}-keystore`,
      {
        metadata: { namespace: account.namespace, name: keystoreName, labels: { ...labels } },
        stringData: { 'keystore.json': secret(made.stdout) },
      },
      { parent: this, dependsOn: [namespace] },
    );
  }
}
