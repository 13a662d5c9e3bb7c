/** Where the file lies in a control-plane box. */
export const encryptionConfigurationPath = '/etc/kubernetes/encryption/encryption-config.yaml';

/** Resources that are encrypted: those of OpenShift's kube-apiserver operator. */
export const encryptedResources = ['secrets', 'configmaps'] as const;

/** The file of a new cluster, in the shape of OpenShift's: nothing is encrypted. From then on the installer writes it. */
export const identityConfiguration = JSON.stringify({
  kind: 'EncryptionConfiguration',
  apiVersion: 'apiserver.config.k8s.io/v1',
  resources: encryptedResources.map((resource) => ({ resources: [resource], providers: [{ identity: {} }] })),
});

/** How long kube-apiserver waits at its start for each KMS provider: no plugin can run yet, since its pod needs the API server. */
const bootTimeout = '200ms';

/**
 * The same file for an API server that starts with its box. All but the timeouts stays as it is, byte for byte; only KMS
 * providers have one.
 */
export const forBooting = (content: string): string =>
  content.replace(/("timeout"\s*:\s*")[^"]*"/g, `$1${bootTimeout}"`);
