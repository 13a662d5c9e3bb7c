import { DaemonSet } from '@pulumi/kubernetes/apps/v1/daemonSet.js';
import { ConfigMap } from '@pulumi/kubernetes/core/v1/configMap.js';
import { Namespace } from '@pulumi/kubernetes/core/v1/namespace.js';
import { Secret } from '@pulumi/kubernetes/core/v1/secret.js';
import { Service } from '@pulumi/kubernetes/core/v1/service.js';
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi';
import type { StartedCluster } from './LocalCluster.ts';
import { openShiftNamespaces } from './OpenShiftNamespaces.ts';

export interface EtcdAccessArgs {
  /** etcd lets the bearer of its client certificate read and write everything. */
  readonly certificates: Output<StartedCluster['etcd']>;
  /** An image that does nothing. */
  readonly pauseImage: Input<string>;
}

const port = 2379;

/**
 * etcd as OpenShift shows it: `kubectl port-forward service/etcd :2379 -n openshift-etcd`, with the certificates of
 * `openshift-config`. A port-forward needs a pod behind the service; this one only lends its network, the node's.
 */
export class EtcdAccess extends ComponentResource {
  constructor(name: string, args: EtcdAccessArgs, options?: ComponentResourceOptions) {
    super('understudy:index:EtcdAccess', name, {}, options);
    const parent = { parent: this };
    new ConfigMap(
      `${name}-authority`,
      {
        metadata: { namespace: openShiftNamespaces.config, name: 'etcd-ca-bundle' },
        data: { 'ca-bundle.crt': args.certificates.authorityCertificate },
      },
      parent,
    );
    new Secret(
      `${name}-client`,
      {
        metadata: { namespace: openShiftNamespaces.config, name: 'etcd-client' },
        type: 'kubernetes.io/tls',
        stringData: { 'tls.crt': args.certificates.clientCertificate, 'tls.key': args.certificates.clientKey },
      },
      parent,
    );
    const namespace = new Namespace(
      `${name}-namespace`,
      {
        metadata: { name: 'openshift-etcd', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
      },
      parent,
    );
    const labels = { app: 'etcd' };
    const metadata = { namespace: namespace.metadata.name, name: 'etcd', labels };
    new Service(
      `${name}-service`,
      {
        metadata: { ...metadata, annotations: { 'pulumi.com/skipAwait': 'true' } },
        spec: { selector: labels, ports: [{ name: 'etcd', port, targetPort: port }] },
      },
      parent,
    );
    new DaemonSet(
      `${name}-pods`,
      {
        metadata,
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              hostNetwork: true,
              nodeSelector: { 'node-role.kubernetes.io/control-plane': '' },
              tolerations: [{ operator: 'Exists' }],
              terminationGracePeriodSeconds: 0,
              containers: [
                {
                  name: 'etcd',
                  image: args.pauseImage,
                  imagePullPolicy: 'Never',
                  resources: { requests: { cpu: '1m', memory: '4Mi' } },
                  securityContext: {
                    runAsUser: 65532,
                    runAsNonRoot: true,
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ['ALL'] },
                    seccompProfile: { type: 'RuntimeDefault' },
                  },
                },
              ],
            },
          },
        },
      },
      parent,
    );
    this.registerOutputs();
  }
}
