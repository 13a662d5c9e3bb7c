import { type PluginHealth, renderReports, reporterConditionType } from '../../common/kmsHealth.ts';
import type { OperatorCondition } from '../observation.ts';

export const start = Date.parse('2026-11-26T18:00:00Z');

/** What a plugin is found to be, `seconds` after {@link start}. */
export const plugin = (
  status: PluginHealth['status'] = 'healthy',
  { keyID = '1', kekID = 'kek-1', detail = '', seconds = 0 } = {},
): PluginHealth => ({
  keyID,
  ...(status === 'error' ? {} : { kekID }),
  status,
  lastChecked: new Date(start + seconds * 1000).toISOString(),
  ...(detail && { detail }),
});

/** The condition of a node's reporter. */
export const told = (node: string, ...plugins: readonly PluginHealth[]): OperatorCondition => ({
  type: reporterConditionType(node),
  status: 'True',
  reason: 'AsExpected',
  lastTransitionTime: '2026-11-26T18:00:00Z',
  message: renderReports(plugins),
});
