import { stringify } from 'yaml';

/** Where the file lies in a control-plane box. */
export const encryptionConfigurationPath = '/etc/kubernetes/encryption/encryption-config.yaml';

/** The plugin's socket in a control-plane box, and in the plugin's pod. */
export const kmsSocketPath = '/var/run/kmsplugin/socket.sock';

/** Number of the key in provider names: `<N>_<resource>`, as OpenShift's controllers name them. */
const keyNumber = 1;

/** Resources that are encrypted: those of OpenShift's kube-apiserver operator. */
export const encryptedResources = ['secrets', 'configmaps'] as const;
export type EncryptedResource = (typeof encryptedResources)[number];

export const providerName = (resource: EncryptedResource): string => `${keyNumber}_${resource}`;

/**
 * How long kube-apiserver waits for an answer of the plugin, by what is the case:
 * `starting`, no plugin can run yet, since its pod needs the API server, which at its start waits this long for each provider;
 * `running`, what OpenShift's controllers write.
 */
export const kmsTimeouts = { starting: '200ms', running: '10s' } as const;

/**
 * The EncryptionConfiguration of kube-apiserver: an entry per resource with KMS v2 first, identity last so that what was
 * written before can be read. The only writer of that file's content.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/kms-provider/
 */
export const renderEncryptionConfiguration = (timeout: (typeof kmsTimeouts)[keyof typeof kmsTimeouts]): string =>
  stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: encryptedResources.map((resource) => ({
      resources: [resource],
      providers: [
        {
          kms: {
            apiVersion: 'v2',
            name: providerName(resource),
            endpoint: `unix://${kmsSocketPath}`,
            timeout,
          },
        },
        { identity: {} },
      ],
    })),
  });
