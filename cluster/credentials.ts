import { join } from 'node:path';
import type { Authority, Credential } from '../common/certificates.ts';
import { dnsUser } from './dnsRole.ts';
import { loadKeystore } from './keystore.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { serverUrlFor } from './nodeConfiguration.ts';
import { loadAuthority, loadServiceAccountKeys, type ServiceAccountKeys } from './pki.ts';
import { type ClusterPlan, kubernetesServiceAddress, type NodePlan } from './plan.ts';

export interface Authorities {
  readonly kubernetes: Authority;
  readonly etcd: Authority;
  readonly frontProxy: Authority;
  readonly serviceAccount: ServiceAccountKeys;
  /** Content of the file with which the KMS plugin of each control-plane node begins. */
  readonly keystore: string;
}

export const loadAuthorities = async (plan: ClusterPlan): Promise<Authorities> => {
  const pkiDir = join(plan.dir, 'pki');
  const [kubernetes, etcd, frontProxy, serviceAccount, keystore] = await Promise.all([
    loadAuthority(pkiDir, 'kubernetes-ca'),
    loadAuthority(pkiDir, 'etcd-ca'),
    loadAuthority(pkiDir, 'front-proxy-ca'),
    loadServiceAccountKeys(pkiDir),
    loadKeystore(pkiDir),
  ]);
  return { kubernetes, etcd, frontProxy, serviceAccount, keystore };
};

/** Who may do anything; for the user's kubeconfig and for what `up` itself does. */
export const issueAdministrator = (authorities: Authorities): Promise<Credential> =>
  authorities.kubernetes.issue({ commonName: 'understudy-admin', organization: 'system:masters', usages: ['client'] });

/** Reads and writes all of etcd: its members let in whoever has a certificate. */
export const issueEtcdClient = (authorities: Authorities, commonName: string): Promise<Credential> =>
  authorities.etcd.issue({ commonName, usages: ['client'] });

const pair = (path: string, credential: Credential): [string, string][] => [
  [`${path}.crt`, credential.certificate],
  [`${path}.key`, credential.key],
];

const controlPlaneFiles = async (
  plan: ClusterPlan,
  node: NodePlan,
  authorities: Authorities,
): Promise<[string, string][]> => {
  const { kubernetes, etcd, frontProxy, serviceAccount } = authorities;
  const kubeconfigFor = async (commonName: string): Promise<string> =>
    renderKubeconfig(
      plan.spec.name,
      serverUrlFor(plan, node),
      kubernetes.certificate,
      await kubernetes.issue({ commonName, usages: ['client'] }),
    );
  const [apiserver, kubeletClient, frontProxyClient, etcdServer, etcdClient, manager, scheduler, coredns] =
    await Promise.all([
      kubernetes.issue({
        commonName: 'kube-apiserver',
        usages: ['server'],
        dnsNames: [
          'localhost',
          'kubernetes',
          'kubernetes.default',
          'kubernetes.default.svc',
          'kubernetes.default.svc.cluster.local',
          node.name,
        ],
        addresses: ['127.0.0.1', kubernetesServiceAddress, ...new Set([node.address, plan.apiAddress])],
      }),
      kubernetes.issue({
        commonName: 'kube-apiserver-kubelet-client',
        organization: 'system:masters',
        usages: ['client'],
      }),
      frontProxy.issue({ commonName: 'front-proxy-client', usages: ['client'] }),
      etcd.issue({
        commonName: node.name,
        usages: ['server', 'client'],
        dnsNames: ['localhost', node.name],
        addresses: ['127.0.0.1', node.address],
      }),
      issueEtcdClient(authorities, 'kube-apiserver'),
      kubeconfigFor('system:kube-controller-manager'),
      kubeconfigFor('system:kube-scheduler'),
      kubeconfigFor(dnsUser),
    ]);
  return [
    ['pki/ca.key', kubernetes.key],
    ['pki/front-proxy-ca.crt', frontProxy.certificate],
    ['pki/sa.key', serviceAccount.privateKey],
    ['pki/sa.pub', serviceAccount.publicKey],
    ['pki/etcd/ca.crt', etcd.certificate],
    ...pair('pki/apiserver', apiserver),
    ...pair('pki/apiserver-kubelet-client', kubeletClient),
    ...pair('pki/front-proxy-client', frontProxyClient),
    ...pair('pki/etcd/server', etcdServer),
    ...pair('pki/etcd/client', etcdClient),
    ['controller-manager.conf', manager],
    ['scheduler.conf', scheduler],
    ['coredns.conf', coredns],
  ];
};

/**
 * The secret files of a node, as path below `/etc/kubernetes` and content. A worker gets its own identity and
 * kube-proxy's, and no authority's key.
 */
export const credentialFiles = async (
  plan: ClusterPlan,
  node: NodePlan,
  authorities: Authorities,
): Promise<readonly [string, string][]> => {
  if (node.role === 'load-balancer') return [];
  const { kubernetes } = authorities;
  const server = serverUrlFor(plan, node);
  const [kubelet, kubeletServer, kubeProxy] = await Promise.all([
    kubernetes.issue({ commonName: `system:node:${node.name}`, organization: 'system:nodes', usages: ['client'] }),
    kubernetes.issue({
      commonName: `system:node:${node.name}`,
      organization: 'system:nodes',
      usages: ['server'],
      dnsNames: [node.name],
      addresses: [node.address],
    }),
    kubernetes.issue({ commonName: 'system:kube-proxy', usages: ['client'] }),
  ]);
  const kubeconfig = (user: Credential): string =>
    renderKubeconfig(plan.spec.name, server, kubernetes.certificate, user);
  return [
    ['pki/ca.crt', kubernetes.certificate],
    ...pair('pki/kubelet-server', kubeletServer),
    ['kubelet.conf', kubeconfig(kubelet)],
    ['kube-proxy.conf', kubeconfig(kubeProxy)],
    ...(node.role === 'control-plane' ? await controlPlaneFiles(plan, node, authorities) : []),
  ];
};
