import { Service } from '@pulumi/kubernetes/core/v1/service.js';
import { EndpointSlice } from '@pulumi/kubernetes/discovery/v1/endpointSlice.js';
import { ClusterRole } from '@pulumi/kubernetes/rbac/v1/clusterRole.js';
import { ClusterRoleBinding } from '@pulumi/kubernetes/rbac/v1/clusterRoleBinding.js';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';

export interface ClusterDnsArgs {
  /** Where CoreDNS listens: the control-plane nodes. */
  readonly serverAddresses: Input<Input<string>[]>;
}

/** What kubelets tell pods to ask; within the local cluster's service network. */
const dnsServiceAddress = '10.96.0.10';

/** The cluster's DNS: CoreDNS runs beside kube-apiserver; this is its right to look, and the Service before it. */
export class ClusterDns extends ComponentResource {
  constructor(name: string, args: ClusterDnsArgs, options?: ComponentResourceOptions) {
    super('understudy:index:ClusterDns', name, {}, options);
    const parent = { parent: this };
    const user = 'system:coredns';
    const role = new ClusterRole(
      `${name}-role`,
      {
        metadata: { name: user },
        rules: [
          { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
          { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
        ],
      },
      parent,
    );
    new ClusterRoleBinding(
      `${name}-binding`,
      {
        metadata: { name: user },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role.metadata.name },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
      },
      parent,
    );
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ];
    const service = new Service(
      `${name}-service`,
      {
        // No selector: its endpoints are no pods.
        metadata: {
          namespace: 'kube-system',
          name: 'kube-dns',
          labels: { 'k8s-app': 'kube-dns' },
          annotations: { 'pulumi.com/skipAwait': 'true' },
        },
        spec: { clusterIP: dnsServiceAddress, ports },
      },
      parent,
    );
    new EndpointSlice(
      `${name}-endpoints`,
      {
        metadata: {
          namespace: 'kube-system',
          name: 'kube-dns-control-plane',
          labels: { 'kubernetes.io/service-name': service.metadata.name },
        },
        addressType: 'IPv4',
        ports,
        endpoints: [{ addresses: args.serverAddresses, conditions: { ready: true } }],
      },
      parent,
    );
    this.registerOutputs();
  }
}
