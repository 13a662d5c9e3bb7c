/**
 * Names that OpenShift's controllers use, and that everything written for them looks for.
 * @see https://github.com/openshift/library-go/tree/master/pkg/operator/encryption
 */
export const component = 'openshift-kube-apiserver';
export const managedNamespace = 'openshift-config-managed';
export const configNamespace = 'openshift-config';

/** Resources that are encrypted, in the order in which conditions list them. */
export const encryptedResources: readonly string[] = ['secrets', 'configmaps'];

const prefix = 'encryption.apiserver.operator.openshift.io';

export const componentLabel = `${prefix}/component`;
export const deletionProtection = `${prefix}/deletion-protection`;

export const annotations = {
  description: 'kubernetes.io/description',
  mode: `${prefix}/mode`,
  internalReason: `${prefix}/internal-reason`,
  externalReason: `${prefix}/external-reason`,
  migratedTimestamp: `${prefix}/migrated-timestamp`,
  migratedResources: `${prefix}/migrated-resources`,
  /** Ours: version of a KMS key that everything is encrypted with. */
  migratedKeyVersion: 'understudy.dev/migrated-key-version',
} as const;

/** Keys of `data` in a key secret. */
export const keyData = {
  key: `${prefix}-key`,
  kmsEncryptionConfig: `${prefix}-kms-encryption-config`,
  kmsPluginConfig: `${prefix}-kms-plugin-config`,
  kmsPluginSecretPrefix: `${prefix}-kms-plugin-secret-`,
  kmsPluginConfigMapPrefix: `${prefix}-kms-plugin-configmap-`,
} as const;

/** Keys of `data` in the config secret. */
export const configData = {
  encryptionConfig: 'encryption-config',
  kmsPluginConfigPrefix: 'kms-plugin-config-',
  kmsPluginSecretPrefix: 'kms-plugin-secret-',
  kmsPluginConfigMapPrefix: 'kms-plugin-configmap-',
} as const;

export const configSecretName = `encryption-config-${component}`;
export const configCopyName = 'encryption-config';

/** Shown by kubectl describe, to whoever is about to edit the secret. */
export const description = `Kept by the encryption controllers. Do not edit or delete it:
whoever changes an encryption key by hand makes stored secrets and config maps unreadable for good.`;
