import type { KmsBackend } from './kmsBackend.ts';
import type { KmsPluginConfig } from './kmsPluginConfig.ts';

/** Shapes of the API server's JSON are kept as they are, so that the edge hands over what it was given. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** A v1 Secret; values of `data` are base64, as in its JSON. */
export interface Secret {
  readonly metadata: ObjectMeta;
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** A v1 ConfigMap. */
export interface ConfigMap {
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
}

/** `spec.encryption` of `apiservers.config.openshift.io/cluster`. */
export interface EncryptionSpec {
  readonly type?: string;
  readonly kms?: KmsPluginConfig;
}

/** An entry of `status.conditions` of `kubeapiservers.operator.openshift.io/cluster`. */
export interface OperatorCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** RFC 3339, whole seconds. */
  readonly lastTransitionTime: string;
  readonly reason?: string;
  readonly message?: string;
}

/** `status.encryptionStatus.preflight`; hashes are 8 characters, base64url. */
export interface Preflight {
  readonly observedConfigHash: string;
  readonly result?: {
    readonly status: 'Succeeded' | 'Failed';
    readonly configHash: string;
    readonly remoteKeyID: string;
  };
}

/** What of `kubeapiservers.operator.openshift.io/cluster` decides. */
export interface OperatorObject {
  /** `spec.managementState`. */
  readonly managementState?: string;
  /** `spec.unsupportedConfigOverrides` as it is: any JSON. */
  readonly unsupportedConfigOverrides?: unknown;
  readonly conditions: readonly OperatorCondition[];
  readonly preflight?: Preflight;
}

/** One running kube-apiserver, by its own metrics. */
export interface ApiServerObservation {
  /** Its control-plane node. While two take turns on a node, each is an entry of its own. */
  readonly node: string;
  /** Lower-case hex sha256 of the loaded file, without prefix; undefined where it did not answer or told none. */
  readonly configHash: string | undefined;
  /**
   * Newest key_id by provider name (`1_secrets`), each as lower-case hex sha256, from
   * `apiserver_envelope_encryption_key_id_hash_last_timestamp_seconds` and its `status` sibling.
   */
  readonly keyIDHashes: Readonly<Record<string, string>>;
  /** Why it could not be asked; undefined where it answered. */
  readonly failure?: string;
}

/** The KMS plugin of a control-plane node. */
export interface PluginObservation {
  readonly node: string;
  readonly ready: boolean;
  /** Why it is not ready: `ImagePullBackOff`, `no pod`, … */
  readonly cause?: string;
}

/** A migration as the migrator tells of it; at most one a resource. */
export interface MigrationObservation {
  /** `secrets`, `configmaps`; `<resource>.<group>` outside of the core group. */
  readonly resource: string;
  /** What was given to {@link Action} `ensureMigration`, kept in annotation `…/write-key`. */
  readonly writeKey: string;
  readonly outcome: 'running' | 'succeeded' | 'failed';
  /** RFC 3339; of the outcome, absent while it runs. */
  readonly finishedAt?: string;
  /** Of a failure. */
  readonly message?: string;
  /** Objects written so far. */
  readonly done?: number;
  readonly total?: number;
}

/** All that decisions are made from; nothing here is remembered between two of them. */
export interface Observation {
  /** `spec.encryption`; undefined where the object does not exist. */
  readonly encryption: EncryptionSpec | undefined;
  /** undefined where the object does not exist: then there is nowhere to report to, and nothing is done. */
  readonly operator: OperatorObject | undefined;
  /** Names of all control-plane nodes, also of those that do not answer. */
  readonly controlPlane: readonly string[];
  readonly apiServers: readonly ApiServerObservation[];
  readonly plugins: readonly PluginObservation[];
  /** Secrets of openshift-config-managed with the label `…/component=openshift-kube-apiserver`. */
  readonly keySecrets: readonly Secret[];
  /** `openshift-config-managed/encryption-config-openshift-kube-apiserver`. */
  readonly configSecret: Secret | undefined;
  /** `openshift-kube-apiserver/encryption-config`, the copy that the installers read. */
  readonly configCopy: Secret | undefined;
  /** Those of openshift-config that `encryption.kms` refers to, as far as they exist. */
  readonly referencedSecrets: readonly Secret[];
  readonly referencedConfigMaps: readonly ConfigMap[];
  readonly migrations: readonly MigrationObservation[];
  /** `kmsbackends.understudy.dev/cluster`; undefined where the object does not exist. */
  readonly backend: KmsBackend | undefined;
}
