import type { ClusterAccess } from '../cluster/access.ts';
import type { StartedCluster } from '../infra/LocalCluster.ts';

/** Prints how to reach a cluster, for the resource that started it. @param pauseImage reference of an image that does nothing */
export const printStarted = ({ kubeconfig, etcd }: ClusterAccess, pauseImage: string): void => {
  const answer: StartedCluster = {
    kubeconfig,
    controlPlaneAddresses: [...etcd.hosts],
    etcd: {
      authorityCertificate: etcd.authorityCertificate,
      clientCertificate: etcd.published.certificate,
      clientKey: etcd.published.key,
    },
    pauseImage,
  };
  process.stdout.write(JSON.stringify(answer));
};
