import { stringify } from 'yaml';
import type { Credential } from '../common/certificates.ts';

/** A kubeconfig with everything inline. */
export const renderKubeconfig = (
  clusterName: string,
  server: string,
  authorityCertificate: string,
  user: Credential,
): string => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: clusterName, cluster: { server, 'certificate-authority-data': base64(authorityCertificate) } },
      ],
      users: [
        {
          name: clusterName,
          user: { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) },
        },
      ],
      contexts: [{ name: clusterName, context: { cluster: clusterName, user: clusterName } }],
      'current-context': clusterName,
    },
    { lineWidth: 0 },
  );
};
