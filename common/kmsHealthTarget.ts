/** An entry of `status.encryptionStatus.healthReports` of openshift/api, operator/v1. */
export interface HealthReport {
  readonly nodeName: string;
  readonly keyID: string;
  readonly remoteKeyID: string;
  readonly status: 'Healthy' | 'Unhealthy' | 'Error';
  /** RFC 3339, whole seconds. */
  readonly lastCheckedTime: string;
  readonly detail?: string;
}

const encryptionStatus = (healthReports: readonly HealthReport[]): object =>
  healthReports.length === 0 ? {} : { encryptionStatus: { healthReports } };

/** Operators of operator.openshift.io whose object `cluster` may be reported to. */
export const targets = {
  kubeapiservers: { kind: 'KubeAPIServer', typedStatus: encryptionStatus },
  openshiftapiservers: { kind: 'OpenShiftAPIServer', typedStatus: encryptionStatus },
  authentications: {
    kind: 'Authentication',
    typedStatus: (reports: readonly HealthReport[]): object => ({ oauthAPIServer: encryptionStatus(reports) }),
  },
} as const;

export type Target = keyof typeof targets;

export const targetNames: readonly Target[] = ['kubeapiservers', 'openshiftapiservers', 'authentications'];

export const statusPath = (target: Target): string => `/apis/operator.openshift.io/v1/${target}/cluster/status`;

/** The body of a server-side apply of a part of the status. */
export const statusBody = (target: Target, status: object): object => ({
  apiVersion: 'operator.openshift.io/v1',
  kind: targets[target].kind,
  metadata: { name: 'cluster' },
  status,
});
