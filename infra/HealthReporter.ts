import type { types } from '@pulumi/kubernetes';
import { Secret } from '@pulumi/kubernetes/core/v1/secret.js';
import { ServiceAccount } from '@pulumi/kubernetes/core/v1/serviceAccount.js';
import { FlowSchema } from '@pulumi/kubernetes/flowcontrol/v1/flowSchema.js';
import { PriorityLevelConfiguration } from '@pulumi/kubernetes/flowcontrol/v1/priorityLevelConfiguration.js';
import { ClusterRole } from '@pulumi/kubernetes/rbac/v1/clusterRole.js';
import { ClusterRoleBinding } from '@pulumi/kubernetes/rbac/v1/clusterRoleBinding.js';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';
import { reporterAccount as account, reporterFlow, reporterPriority, reporterRules } from './healthReporterAccess.ts';
import { livenessProbe } from './serviceDeployment.ts';

const tokenSecret = 'kms-health-reporter-token';
const roleName = `${account.namespace}:${account.name}`;
const rbac = 'rbac.authorization.k8s.io';

/** Who health reporters are: an account that may write the status of one object, a token of it that does not end, a place in the queue. */
export class HealthReporterIdentity extends ComponentResource {
  constructor(name: string, options?: ComponentResourceOptions) {
    super('understudy:index:HealthReporterIdentity', name, {}, options);
    const parent = { parent: this };
    const made = new ServiceAccount(
      `${name}-account`,
      { metadata: account, automountServiceAccountToken: false },
      parent,
    );
    new Secret(
      `${name}-token`,
      {
        metadata: {
          namespace: account.namespace,
          name: tokenSecret,
          annotations: {
            'kubernetes.io/service-account.name': account.name,
            // The installers wait for the token by themselves.
            'pulumi.com/skipAwait': 'true',
          },
        },
        type: 'kubernetes.io/service-account-token',
      },
      { parent: this, dependsOn: [made] },
    );
    const role = new ClusterRole(`${name}-role`, { metadata: { name: roleName }, rules: [...reporterRules] }, parent);
    new ClusterRoleBinding(
      `${name}-binding`,
      {
        metadata: { name: roleName },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: roleName },
        subjects: [{ kind: 'ServiceAccount', ...account }],
      },
      { parent: this, dependsOn: [role] },
    );
    const metadata = { name: account.name };
    const priority = new PriorityLevelConfiguration(`${name}-priority`, { metadata, spec: reporterPriority }, parent);
    new FlowSchema(`${name}-flow`, { metadata, spec: reporterFlow }, { parent: this, dependsOn: [priority] });
    this.registerOutputs();
  }
}

export interface HealthReporterArgs {
  /** Reference of the reporter's image; the nodes have it. */
  readonly image: Input<string>;
  /** From report to report, as a Go duration. */
  readonly interval: string;
}

/** Where the installer of a node writes what its reporter lives by. */
const filesDir = '/etc/kubernetes/kms-health-reporter';
const metricsPort = 9809;

/** A volume of the pod that the reporter is in. */
export const healthReporterVolume: types.input.core.v1.Volume = {
  name: 'health-reporter',
  hostPath: { path: filesDir, type: 'DirectoryOrCreate' },
};

/** The container beside a KMS plugin. @param socketMount where the plugin's sockets are */
export const healthReporterContainer = (
  { image, interval }: HealthReporterArgs,
  socketMount: types.input.core.v1.VolumeMount,
  securityContext: types.input.core.v1.SecurityContext,
): types.input.core.v1.Container => ({
  name: 'kms-health-reporter',
  image,
  imagePullPolicy: 'Never',
  args: [
    `--kms-sockets-file=${filesDir}/sockets`,
    `--kubeconfig=${filesDir}/kubeconfig`,
    '--node-name=$(NODE_NAME)',
    `--interval=${interval}`,
    `--metrics-addr=:${metricsPort}`,
  ],
  env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
  ports: [{ name: 'health-metrics', containerPort: metricsPort }],
  livenessProbe: livenessProbe('health-metrics'),
  resources: { requests: { cpu: '10m', memory: '64Mi' } },
  securityContext,
  volumeMounts: [
    { ...socketMount, readOnly: true },
    { name: 'health-reporter', mountPath: filesDir, readOnly: true },
  ],
});
