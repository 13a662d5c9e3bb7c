import { type PluginHealth, parseReports, reporterConditionType, reportingNode } from '../../common/kmsHealth.ts';
import type { HealthReport } from '../../common/kmsHealthTarget.ts';
import type { OperatorCondition } from '../observation.ts';

/** `status` of an operator's object, as far as health is concerned. */
export interface ReportedStatus {
  readonly conditions?: readonly Pick<OperatorCondition, 'type' | 'message'>[];
  readonly encryptionStatus?: { readonly healthReports?: readonly HealthReport[] };
  readonly oauthAPIServer?: { readonly encryptionStatus?: { readonly healthReports?: readonly HealthReport[] } };
}

/** What the reporter of a node has said last. */
export interface NodeReport {
  readonly node: string;
  /** undefined where it cannot be read. */
  readonly plugins: readonly PluginHealth[] | undefined;
  /** Another text at each tick of the reporter. */
  readonly tick: string;
}

const statuses = { Healthy: 'healthy', Unhealthy: 'unhealthy', Error: 'error' } as const;

const fromTyped = ({ keyID, remoteKeyID, status, lastCheckedTime, detail }: HealthReport): PluginHealth => ({
  keyID,
  // Of one that does not answer it is what it had last.
  ...(status === 'Error' ? {} : { kekID: remoteKeyID }),
  status: statuses[status],
  lastChecked: lastCheckedTime,
  ...(detail === undefined ? {} : { detail }),
});

export const typedReports = (status: ReportedStatus): readonly HealthReport[] =>
  (status.encryptionStatus ?? status.oauthAPIServer?.encryptionStatus)?.healthReports ?? [];

/** What all nodes have said, in conditions or typed; a node that says both counts by its condition. */
export const nodeReports = (status: ReportedStatus): readonly NodeReport[] => {
  const conditions = (status.conditions ?? []).flatMap(({ type, message = '' }): readonly NodeReport[] => {
    const node = reportingNode(type);
    return node === undefined ? [] : [{ node, plugins: parseReports(message), tick: message }];
  });
  const told = new Set(conditions.map(({ node }) => node));
  const typed = Map.groupBy(typedReports(status), ({ nodeName }) => nodeName);
  return [
    ...conditions,
    ...[...typed]
      .filter(([node]) => !told.has(node))
      .map(([node, reports]) => ({ node, plugins: reports.map(fromTyped), tick: JSON.stringify(reports) })),
  ].sort((a, b) => (a.node < b.node ? -1 : 1));
};

/** A JSON patch that takes away what some nodes have said; each removal holds only for the entry that was seen. */
export const removalPatch = (status: ReportedStatus, nodes: ReadonlySet<string>): readonly object[] => {
  const types = new Set([...nodes].map(reporterConditionType));
  const removals = (path: string, entries: readonly object[], isGone: (index: number) => boolean): readonly object[] =>
    entries
      .flatMap((entry, index) => (isGone(index) ? [{ entry, at: `${path}/${index}` }] : []))
      // From the end, so that those before keep their places.
      .reverse()
      .flatMap(({ entry, at }) => [
        { op: 'test', path: at, value: entry },
        { op: 'remove', path: at },
      ]);
  const { conditions = [] } = status;
  const typed = typedReports(status);
  const parent = `/status${status.encryptionStatus === undefined ? '/oauthAPIServer' : ''}/encryptionStatus`;
  const { healthReports: _, ...others } = status.encryptionStatus ?? status.oauthAPIServer?.encryptionStatus ?? {};
  const isLast = typed.length > 0 && typed.every(({ nodeName }) => nodes.has(nodeName));
  // The schema takes neither an empty list nor an empty object.
  const whole = Object.keys(others).length === 0 ? parent : `${parent}/healthReports`;
  return [
    ...removals('/status/conditions', conditions, (index) => types.has(conditions[index]?.type ?? '')),
    ...(isLast
      ? [
          { op: 'test', path: `${parent}/healthReports`, value: typed },
          { op: 'remove', path: whole },
        ]
      : removals(`${parent}/healthReports`, typed, (index) => nodes.has(typed[index]?.nodeName ?? ''))),
  ];
};
