import type { PluginStatus } from '../status/plugins.ts';

/** What was seen of a key of a plugin at one moment. */
export type Sample = Pick<PluginStatus, 'status' | 'kekID' | 'detail'>;

/** A stretch of time in which all samples were equal. Times are milliseconds since the epoch. */
export interface Segment extends Sample {
  readonly from: number;
  /** Of the last sample that was so, or the first that was not. */
  readonly to: number;
}

export interface HistoryLimits {
  /** What ended longer ago is forgotten. */
  readonly keepMs: number;
  /** Two samples that are further apart say nothing of the time between them. */
  readonly longestGapMs: number;
  /** Of a plugin that changes with every sample, the oldest are forgotten. */
  readonly mostSegments: number;
}

const isEqual = (one: Sample, other: Sample): boolean =>
  one.status === other.status && one.kekID === other.kekID && one.detail === other.detail;

/** A history that goes on: the last segment is prolonged, or ends where the next one begins. */
export const addSample = (
  segments: readonly Segment[],
  { status, kekID, detail }: Sample,
  at: number,
  { keepMs, longestGapMs, mostSegments }: HistoryLimits,
): readonly Segment[] => {
  const last = segments.at(-1);
  // The clock of the machine may have been set back.
  const now = Math.max(at, last?.to ?? at);
  const next = { from: now, to: now, status, kekID, detail };
  const kept = segments.slice(0, -1).filter(({ to }) => to >= now - keepMs);
  if (last === undefined) return [next];
  if (now - last.to > longestGapMs) return [...kept, last, next].slice(-mostSegments);
  if (isEqual(last, next)) return [...kept, { ...last, to: now }];
  if (last.from === now) return [...kept, next];
  return [...kept, { ...last, to: now }, next].slice(-mostSegments);
};
