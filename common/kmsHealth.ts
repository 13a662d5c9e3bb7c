/** What a probe of a KMS plugin found. */
export interface PluginHealth {
  /** Number in the name of the socket, `kms-<keyID>.sock`; not the id of a cryptographic key. */
  readonly keyID: string;
  /** The plugin's key_id; absent where there was no answer, or none that kube-apiserver would take. */
  readonly kekID?: string;
  /** `unhealthy`: it answered, and kube-apiserver would not use it. `error`: no answer, or none that is a Status. */
  readonly status: 'healthy' | 'unhealthy' | 'error';
  /** RFC 3339, by the clock of the node. */
  readonly lastChecked: string;
  /** Absent where healthy. */
  readonly detail?: string;
}

/** Of `status.conditions` of an operator's object; OpenShift's name for it. */
export const reporterConditionPrefix = 'KMSHealthReporter_';

export const reporterConditionType = (nodeName: string): string => `${reporterConditionPrefix}${nodeName}`;

/** The node that a condition is about; undefined where it is none of a reporter. */
export const reportingNode = (conditionType: string): string | undefined =>
  conditionType.startsWith(reporterConditionPrefix) ? conditionType.slice(reporterConditionPrefix.length) : undefined;

/** The message of a reporter's condition: a minified JSON array, the fields in upstream's order. */
export const renderReports = (reports: readonly PluginHealth[]): string =>
  JSON.stringify(
    reports.map(({ keyID, kekID, status, lastChecked, detail }) => ({ keyID, kekID, status, lastChecked, detail })),
  );

const statuses: readonly unknown[] = ['healthy', 'unhealthy', 'error'] satisfies readonly PluginHealth['status'][];

const isText = (value: unknown): value is string => typeof value === 'string';

const isReport = (value: unknown): value is PluginHealth => {
  if (typeof value !== 'object' || value === null) return false;
  const { keyID, kekID = '', status, lastChecked, detail = '' } = value as Partial<Record<keyof PluginHealth, unknown>>;
  return (
    [keyID, kekID, lastChecked, detail].every(isText) &&
    statuses.includes(status) &&
    !Number.isNaN(Date.parse(String(lastChecked)))
  );
};

/** What a message says; undefined where it is none of a reporter. */
export const parseReports = (message: string | undefined): readonly PluginHealth[] | undefined => {
  try {
    const reports: unknown = JSON.parse(message ?? '');
    return Array.isArray(reports) && reports.every(isReport) ? reports : undefined;
  } catch {
    return undefined;
  }
};
