import type { ManagedConditions } from '../action.ts';
import { manage } from '../conditions.ts';
import type { OperatorCondition } from '../observation.ts';
import { type Memory, type Moment, remember } from './memory.ts';
import { type NodeReport, nodeReports, type ReportedStatus, removalPatch } from './reports.ts';
import { degradedType, differingIntervals, rollUp, staleIntervals } from './rollUp.ts';

export interface HealthInput {
  readonly status: Omit<ReportedStatus, 'conditions'> & { readonly conditions?: readonly OperatorCondition[] };
  /** Names of the control-plane nodes. */
  readonly nodes: readonly string[];
  /** Whether any of them has a KMS key in use; undefined where only the reports tell. */
  readonly inUse: boolean | undefined;
  /** From report to report, milliseconds. */
  readonly intervalMs: number;
}

export interface HealthPlan {
  readonly memory: Memory;
  /** Of the nodes that there are. */
  readonly reports: readonly NodeReport[];
  /** A JSON patch that takes away what is nobody's any more; empty for none. */
  readonly removal: readonly object[];
  readonly conditions: ManagedConditions;
  /** When to look again though nothing has changed, milliseconds. */
  readonly recheckAfterMs: number;
}

const restMs = 60_000;

/** What is due at some time, as far as that is still to come. */
const soonest = (now: number, dues: readonly number[]): number =>
  Math.min(restMs, ...dues.filter((due) => due > now).map((due) => due - now));

/**
 * All that is to be said and tidied up of the health of one operator's plugins.
 * @param before undefined at the first look.
 */
export const planHealth = (input: HealthInput, before: Memory | undefined, moment: Moment): HealthPlan => {
  const { status, nodes, intervalMs } = input;
  const all = nodeReports(status);
  const inUse = input.inUse ?? all.length > 0;
  const memory = remember(before, all, inUse, moment);
  // Reporters take back their own; this is for one that has died. One that begins may be ahead of its plugin's word.
  const isLeft = memory.leftAt !== undefined && moment.monotonic - memory.leftAt >= intervalMs;
  const gone = all.filter(({ node }) => isLeft || !nodes.includes(node)).map(({ node }) => node);
  const reports = all.filter(({ node }) => nodes.includes(node));
  const expected = input.inUse === undefined ? [] : nodes;
  const wishes = inUse ? [rollUp({ reports, nodes: expected, memory, intervalMs, monotonic: moment.monotonic })] : [];
  const observed = status.conditions ?? [];
  const managed = manage('KMSHealth', wishes, observed, moment.wall);
  const isThere = observed.some(({ type }) => type === degradedType);
  return {
    memory,
    reports,
    removal: removalPatch(status, new Set(gone)),
    conditions: { ...managed, changed: inUse ? managed.changed : isThere },
    recheckAfterMs: soonest(moment.monotonic, [
      ...[...memory.heard.values()].map(({ at }) => at + staleIntervals * intervalMs),
      ...[...memory.differing.values()].map((at) => at + differingIntervals * intervalMs),
      ...(memory.leftAt === undefined ? [] : [memory.leftAt + intervalMs]),
    ]),
  };
};
