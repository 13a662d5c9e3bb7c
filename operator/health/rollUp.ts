import type { PluginHealth } from '../../common/kmsHealth.ts';
import type { ConditionWish } from '../conditions.ts';
import { differingKEKs, type Memory } from './memory.ts';
import type { NodeReport } from './reports.ts';

export const degradedType = 'KMSPluginsDegraded';

/** How many intervals without anything new make a report stale; upstream's number. */
export const staleIntervals = 4;
/** How many intervals nodes may have different kekIDs: they learn of a new one at their next ticks. */
export const differingIntervals = 2;

const longestCause = 200;
const mostLines = 20;

export interface RollUpInput {
  readonly reports: readonly NodeReport[];
  /** Names of all nodes that there is to be a report of. */
  readonly nodes: readonly string[];
  readonly memory: Memory;
  /** From report to report, milliseconds. */
  readonly intervalMs: number;
  /** As the memory's. */
  readonly monotonic: number;
}

interface Finding {
  readonly status: 'True' | 'Unknown' | 'False';
  readonly reason: string;
  readonly line: string;
}

const causeOf = (detail: string | undefined): string => {
  const line = (detail ?? '').replaceAll(/\s+/g, ' ').trim();
  return line.length <= longestCause ? line : `${line.slice(0, longestCause).toWellFormed()}…`;
};

const pluginFinding = (node: string, { keyID, status, detail }: PluginHealth): readonly Finding[] => {
  if (status === 'healthy') return [];
  const reason = status === 'unhealthy' ? 'PluginUnhealthy' : 'PluginError';
  const cause = causeOf(detail);
  return [{ status: 'True', reason, line: `node ${node}, key ${keyID}: ${status}${cause && `: ${cause}`}` }];
};

export const isStale = (
  { memory, intervalMs, monotonic }: Pick<RollUpInput, 'memory' | 'intervalMs' | 'monotonic'>,
  node: string,
): boolean => monotonic - (memory.heard.get(node)?.at ?? monotonic) >= staleIntervals * intervalMs;

const toldAt = ({ plugins }: NodeReport): string => plugins?.[0]?.lastChecked ?? 'a time that cannot be read';

const nodeFindings = (input: RollUpInput, report: NodeReport): readonly Finding[] => {
  const { node, plugins } = report;
  if (isStale(input, node)) {
    const line = `node ${node}: its reporter has told nothing new since ${toldAt(report)}`;
    return [{ status: 'Unknown', reason: 'ReporterStale', line }];
  }
  if (plugins === undefined) {
    return [{ status: 'Unknown', reason: 'ReportUnreadable', line: `node ${node}: its report cannot be read` }];
  }
  return plugins.flatMap((plugin) => pluginFinding(node, plugin));
};

const kekFindings = (input: RollUpInput): readonly Finding[] => {
  const fresh = input.reports.filter(({ node }) => !isStale(input, node));
  return [...differingKEKs(fresh)].map(([key, keks]): Finding => {
    const sides = [...keks].map(([kek, nodes]) => `${causeOf(kek)} on ${nodes.join(', ')}`);
    const line = `key ${key}: nodes have different KEKs: ${sides.join('; ')}`;
    const lastedMs = input.monotonic - (input.memory.differing.get(key) ?? input.monotonic);
    const lasts = lastedMs >= differingIntervals * input.intervalMs;
    return lasts ? { status: 'True', reason: 'KEKsDiffer', line } : { status: 'False', reason: 'AsExpected', line };
  });
};

/** Not seen yet is not broken: an API server is ready before its reporter is. */
const unseenFindings = ({ nodes, reports }: RollUpInput): readonly Finding[] => {
  const seen = new Set(reports.map(({ node }) => node));
  return nodes
    .filter((node) => !seen.has(node))
    .map((node) => ({ status: 'False', reason: 'AsExpected', line: `node ${node}: not observed yet` }));
};

/** What is wrong, the gravest first. */
const reasons = ['PluginUnhealthy', 'PluginError', 'KEKsDiffer', 'ReportUnreadable', 'ReporterStale'];

/** The gravest first; what is no failure last. */
const gravity = ({ reason }: Finding): number => {
  const place = reasons.indexOf(reason);
  return place < 0 ? reasons.length : place;
};

const wellLine = ({ reports }: RollUpInput): string => {
  const keys = [...new Set(reports.flatMap(({ plugins = [] }) => plugins.map(({ keyID }) => keyID)))];
  const nodes = `${reports.length} ${reports.length === 1 ? 'node' : 'nodes'}`;
  return `All KMS plugins are healthy: ${keys.length === 1 ? 'key' : 'keys'} ${keys.sort().join(', ')} on ${nodes}`;
};

const messageOf = (lines: readonly string[]): string =>
  lines.length <= mostLines
    ? lines.join('\n')
    : [...lines.slice(0, mostLines), `and ${lines.length - mostLines} more`].join('\n');

/** The one condition that administrators read. @param input reports of the nodes that there are */
export const rollUp = (input: RollUpInput): ConditionWish => {
  const found = [
    ...input.reports.flatMap((report) => nodeFindings(input, report)),
    ...kekFindings(input),
    ...unseenFindings(input),
  ];
  const gravest = reasons.flatMap((reason) => found.find((finding) => finding.reason === reason) ?? [])[0];
  if (gravest === undefined) {
    const well = input.reports.length > 0 ? [wellLine(input)] : [];
    const message = messageOf([...well, ...found.map(({ line }) => line)]);
    return { type: degradedType, status: 'False', reason: 'AsExpected', message };
  }
  const lines = [...found].sort((a, b) => gravity(a) - gravity(b)).map(({ line }) => line);
  return { type: degradedType, status: gravest.status, reason: gravest.reason, message: messageOf(lines) };
};
