import { createHash } from 'node:crypto';
import { type PluginHealth, renderReports, reporterConditionType } from '../common/kmsHealth.ts';

/** An entry of `status.conditions` of an operator's object. */
export interface ReporterCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/**
 * `fixed`: True/AsExpected whatever was found, as merged upstream; what was found is in the message. `derived`: the table of
 * upstream's review.
 */
export type ConditionStatus = 'fixed' | 'derived';

const verdict = (reports: readonly PluginHealth[]): Pick<ReporterCondition, 'status' | 'reason'> => {
  const found = new Set(reports.map(({ status }) => status));
  if (found.has('unhealthy')) return { status: 'False', reason: 'Unhealthy' };
  if (found.has('error')) return { status: 'Unknown', reason: 'Unreachable' };
  return { status: 'True', reason: 'AsExpected' };
};

export const conditionOf = (
  nodeName: string,
  reports: readonly PluginHealth[],
  status: ConditionStatus,
): ReporterCondition => ({
  type: reporterConditionType(nodeName),
  ...(status === 'fixed' ? { status: 'True', reason: 'AsExpected' } : verdict(reports)),
  message: renderReports(reports),
});

const longestFieldManager = 128;

/** Each node has one of its own: server-side apply keeps account of who owns what by it. */
export const fieldManagerOf = (nodeName: string): string => {
  const prefix = 'kms-health-reporter-';
  const plain = `${prefix}${nodeName}`;
  return plain.length <= longestFieldManager
    ? plain
    : `${prefix}${createHash('sha256').update(nodeName).digest('hex')}`;
};
