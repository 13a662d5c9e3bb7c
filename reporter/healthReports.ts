import type { PluginHealth } from '../common/kmsHealth.ts';
import type { HealthReport } from '../common/kmsHealthTarget.ts';
import { timestampText } from '../common/timestamp.ts';

const typedStatuses = { healthy: 'Healthy', unhealthy: 'Unhealthy', error: 'Error' } as const;

/** What is told where a plugin has never told its key_id: the schema insists on one. */
export const unknownKeyID = 'unknown';

/** @param lastKeyIDs key_ids that plugins had last, by key number. */
export const healthReports = (
  nodeName: string,
  reports: readonly PluginHealth[],
  lastKeyIDs: ReadonlyMap<string, string>,
): readonly HealthReport[] =>
  reports.map(({ keyID, kekID, status, lastChecked, detail }) => ({
    nodeName,
    keyID,
    remoteKeyID: kekID ?? lastKeyIDs.get(keyID) ?? unknownKeyID,
    status: typedStatuses[status],
    lastCheckedTime: timestampText(lastChecked),
    ...(detail === undefined ? {} : { detail }),
  }));
