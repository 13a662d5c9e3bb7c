import { join } from 'node:path';

export interface ApiServerFlags {
  readonly etcdUrl: string;
  readonly port: number;
  /** Folder of `serving.crt` and `serving.key`. */
  readonly ownDir: string;
  /** Folder of `ca.crt`, `sa.pub` and `sa.key`. */
  readonly sharedDir: string;
}

/** Flags that every kube-apiserver of a test has: no stranger gets in, and its roles hold. */
export const apiServerFlags = ({ etcdUrl, port, ownDir, sharedDir }: ApiServerFlags): readonly string[] => [
  `--etcd-servers=${etcdUrl}`,
  `--secure-port=${port}`,
  `--tls-cert-file=${join(ownDir, 'serving.crt')}`,
  `--tls-private-key-file=${join(ownDir, 'serving.key')}`,
  `--client-ca-file=${join(sharedDir, 'ca.crt')}`,
  '--authorization-mode=RBAC',
  '--anonymous-auth=false',
  '--service-cluster-ip-range=10.96.0.0/16',
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-key-file=${join(sharedDir, 'sa.pub')}`,
  `--service-account-signing-key-file=${join(sharedDir, 'sa.key')}`,
];

/** Those of one that shares its port with the one that takes over from it, and is told what to encrypt. */
export const handoverFlags = (configurationPath: string): readonly string[] => [
  '--permit-port-sharing=true',
  // A loopback address cannot be an endpoint.
  '--endpoint-reconciler-type=none',
  `--encryption-provider-config=${configurationPath}`,
  '--encryption-provider-config-automatic-reload=true',
];
