import { parse, stringify } from 'yaml';

/** Where the file lies in a control-plane box. */
export const encryptionConfigurationPath = '/etc/kubernetes/encryption/encryption-config.yaml';

/** The plugin's socket in a control-plane box, and in the plugin's pod. */
export const kmsSocketPath = '/var/run/kmsplugin/socket.sock';

/** Number of the key in provider names: `<N>_<resource>`, as OpenShift's controllers name them. */
export const keyNumber = 1;

/** Resources that are encrypted: those of OpenShift's kube-apiserver operator. */
export const encryptedResources = ['secrets', 'configmaps'] as const;
export type EncryptedResource = (typeof encryptedResources)[number];

export const providerName = (resource: EncryptedResource): string => `${keyNumber}_${resource}`;

/**
 * The way to encryption, a step at a time so that no API server meets a value that it cannot read:
 * nothing; the key can be read; it is written.
 */
export const encryptionStages = ['identity', 'readable', 'written'] as const;
export type EncryptionStage = (typeof encryptionStages)[number];

/**
 * How long kube-apiserver waits for an answer of the plugin:
 * `booting`, no plugin can run yet, since its pod needs the API server, which at its start waits this long for each provider;
 * `running`, what OpenShift's controllers write.
 */
export const kmsTimeouts = { booting: '200ms', running: '10s' } as const;
export type KmsTimeout = (typeof kmsTimeouts)[keyof typeof kmsTimeouts];

interface Provider {
  readonly kms?: object;
  readonly identity?: object;
}

const kmsProvider = (resource: EncryptedResource, timeout: KmsTimeout): Provider => ({
  kms: { apiVersion: 'v2', name: providerName(resource), endpoint: `unix://${kmsSocketPath}`, timeout },
});

const providers = (resource: EncryptedResource, stage: EncryptionStage, timeout: KmsTimeout): readonly Provider[] => {
  const kms = kmsProvider(resource, timeout);
  const identity = { identity: {} };
  return { identity: [identity], readable: [identity, kms], written: [kms, identity] }[stage];
};

/**
 * The EncryptionConfiguration of kube-apiserver: an entry per resource, its first provider writes. The only place that
 * makes that file's content.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/kms-provider/
 */
export const renderEncryptionConfiguration = (stage: EncryptionStage, timeout: KmsTimeout): string =>
  stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: encryptedResources.map((resource) => ({
      resources: [resource],
      providers: providers(resource, stage, timeout),
    })),
  });

/** The file of a new cluster, in the shape of OpenShift's: nothing is encrypted. */
export const identityConfiguration = JSON.stringify({
  kind: 'EncryptionConfiguration',
  apiVersion: 'apiserver.config.k8s.io/v1',
  resources: encryptedResources.map((resource) => ({ resources: [resource], providers: [{ identity: {} }] })),
});

/**
 * The same file for an API server that starts with its box, when no plugin can run yet: it asks each KMS provider, and
 * waits for its answer. All but the timeouts stays as it is, byte for byte; only KMS providers have one.
 */
export const forBooting = (content: string): string =>
  content.replace(/("timeout"\s*:\s*")[^"]*(")|^(\s*timeout:\s*).*$/gm, (_, json, quote, yaml) =>
    json === undefined ? `${yaml}${kmsTimeouts.booting}` : `${json}${kmsTimeouts.booting}${quote}`,
  );

interface Configuration {
  readonly resources: readonly { readonly providers: readonly Provider[] }[];
}

/** The stage that a file of {@link renderEncryptionConfiguration} is of. */
export const stageOf = (content: string): EncryptionStage => {
  const [first] = (parse(content) as Configuration).resources;
  if (first?.providers[0]?.kms !== undefined) return 'written';
  return first?.providers.some((provider) => provider.kms !== undefined) ? 'readable' : 'identity';
};

/** The stages still to pass; a single API server has nobody to wait for and may skip the middle one. */
export const stagesAfter = (stage: EncryptionStage, apiServers: number): readonly EncryptionStage[] =>
  encryptionStages.slice(encryptionStages.indexOf(stage) + 1).filter((next) => apiServers > 1 || next !== 'readable');
