import { z } from 'zod';
import { migrationName } from '../../operator/migration/resource.ts';
import { component, componentLabel, configSecretName, managedNamespace } from '../../operator/names.ts';
import type { MigrationObservation } from '../../operator/observation.ts';

const managedSecrets = `/api/v1/namespaces/${managedNamespace}/secrets`;

/** Where OpenShift keeps what encryption is asked for and reported in; layouts of openshift/api and library-go. */
export const paths = {
  apiServer: '/apis/config.openshift.io/v1/apiservers/cluster',
  operator: '/apis/operator.openshift.io/v1/kubeapiservers/cluster',
  backend: '/apis/understudy.dev/v1alpha1/kmsbackends/cluster',
  keySecrets: `${managedSecrets}?labelSelector=${encodeURIComponent(`${componentLabel}=${component}`)}`,
  configSecret: `${managedSecrets}/${configSecretName}`,
  controlPlaneNodes: '/api/v1/nodes?labelSelector=node-role.kubernetes.io%2Fcontrol-plane',
  /** Where the operator keeps how far a migration is that it makes itself. */
  migration: (resource: string) =>
    `/apis/coordination.k8s.io/v1/namespaces/openshift-kube-apiserver-operator/leases/${migrationName(resource)}`,
} as const;

/** Annotation of `apiservers.config.openshift.io/cluster`: its last `spec.encryption.kms` as JSON, to come back to. */
export const kmsAnnotation = 'understudy.dev/kms';

const strings = z.record(z.string(), z.string()).default({});
const metadata = z.object({
  name: z.string(),
  generation: z.number().default(0),
  resourceVersion: z.string().default(''),
  annotations: strings,
});

export const kmsBlock = z.looseObject({ vault: z.looseObject({ vaultKeyPath: z.string().optional() }).optional() });
/** `spec.encryption.kms`; only its key path and address are looked into. */
export type KmsBlock = z.infer<typeof kmsBlock>;

export const apiServerObject = z.object({
  metadata,
  spec: z
    .object({
      encryption: z.object({ type: z.string().default(''), kms: kmsBlock.optional() }).prefault({}),
    })
    .prefault({}),
});
export type ApiServerObject = z.infer<typeof apiServerObject>;

const condition = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().default(''),
  message: z.string().default(''),
});
export type Condition = z.infer<typeof condition>;

const healthReport = z.object({
  nodeName: z.string(),
  keyID: z.string(),
  remoteKeyID: z.string(),
  status: z.enum(['Healthy', 'Unhealthy', 'Error']),
  lastCheckedTime: z.string(),
  detail: z.string().exactOptional(),
});

export const operatorObject = z.object({
  status: z
    .object({
      conditions: z.array(condition).default([]),
      encryptionStatus: z.object({ healthReports: z.array(healthReport).default([]) }).optional(),
      nodeStatuses: z.array(z.object({ nodeName: z.string(), currentRevision: z.number().default(0) })).default([]),
    })
    .prefault({}),
});
export type OperatorObject = z.infer<typeof operatorObject>;

export const secretObject = z.object({ metadata, data: strings });
export type SecretObject = z.infer<typeof secretObject>;

export const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item).default([]) });

export const nodeObject = z.object({ metadata });

const fault = z.looseObject({
  kind: z.string(),
  key: z.number().optional(),
  node: z.string().optional(),
  until: z.string().optional(),
});
/** A fault as the API server has it; further fields are its kind's. */
export type FaultObject = z.infer<typeof fault>;

export const backendObject = z.object({
  metadata,
  spec: z
    .object({
      keyVersions: z.record(z.string(), z.number()).default({}),
      faults: z.record(z.string(), fault).default({}),
    })
    .prefault({}),
  status: z
    .object({
      nodes: z
        .record(
          z.string(),
          z.object({
            observedGeneration: z.number().default(0),
            keys: z.record(z.string(), z.object({ version: z.number(), keyID: z.string() })).default({}),
          }),
        )
        .default({}),
    })
    .prefault({}),
});
export type BackendObject = z.infer<typeof backendObject>;

/** All that tells how a cluster's secrets and config maps are encrypted. */
export interface EncryptionObjects {
  /** undefined where the cluster does not have that kind, or no such object. */
  readonly apiServer: ApiServerObject | undefined;
  readonly operator: OperatorObject | undefined;
  readonly keySecrets: readonly SecretObject[];
  readonly configSecret: SecretObject | undefined;
  /** Why the API server cannot read secrets; then there are none here. */
  readonly unreadable?: string;
  /** As far as the operator counts them. */
  readonly migrations: readonly MigrationObservation[];
  readonly backend: BackendObject | undefined;
}
