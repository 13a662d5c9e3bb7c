import { Service } from '@pulumi/kubernetes/core/v1/service.js';
import { EndpointSlice } from '@pulumi/kubernetes/discovery/v1/endpointSlice.js';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';

export interface ClusterDnsArgs {
  /** Where CoreDNS listens: the control-plane nodes. */
  readonly serverAddresses: Input<Input<string>[]>;
}

/** What kubelets tell pods to ask; within the local cluster's service network. */
const dnsServiceAddress = '10.96.0.10';

/** The cluster's DNS: CoreDNS runs beside kube-apiserver; this is the Service before it. */
export class ClusterDns extends ComponentResource {
  constructor(name: string, args: ClusterDnsArgs, options?: ComponentResourceOptions) {
    super('understudy:index:ClusterDns', name, {}, options);
    const parent = { parent: this };
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
