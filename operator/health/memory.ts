import type { NodeReport } from './reports.ts';

/** Two clocks, milliseconds: one that only goes forward, and that of the calendar. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** What has to be known of the past; by the clock that only goes forward. */
export interface Memory {
  /** When each node told something new last. */
  readonly heard: ReadonlyMap<string, { readonly tick: string; readonly at: number }>;
  /** Since when nodes have had different key-encryption keys for a key, by key number. */
  readonly differing: ReadonlyMap<string, number>;
  /** Since when no node has had a KMS key. */
  readonly leftAt: number | undefined;
}

const ageByItsWord = ({ plugins }: NodeReport, wall: number): number => {
  const checked = (plugins ?? []).map(({ lastChecked }) => Date.parse(lastChecked));
  return checked.length === 0 ? 0 : Math.max(0, wall - Math.max(...checked));
};

/** The different kekIDs that nodes have for each key, with those nodes; where there is more than one. */
export const differingKEKs = (
  reports: readonly NodeReport[],
): ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> => {
  const byKey = new Map<string, Map<string, string[]>>();
  for (const { node, plugins = [] } of reports) {
    for (const { keyID, kekID } of plugins ?? []) {
      if (kekID === undefined) continue;
      const keks = byKey.get(keyID) ?? new Map<string, string[]>();
      keks.set(kekID, [...(keks.get(kekID) ?? []), node]);
      byKey.set(keyID, keks);
    }
  }
  return new Map([...byKey].filter(([, keks]) => keks.size > 1));
};

/**
 * The memory after a look.
 * @param before undefined at the first look, where reports are as old as they say; later ones are as old as they have been seen.
 * @param inUse whether any node has a KMS key.
 */
export const remember = (
  before: Memory | undefined,
  reports: readonly NodeReport[],
  inUse: boolean,
  { monotonic, wall }: Moment,
): Memory => {
  const heard = reports.map((report) => {
    const { node, tick } = report;
    const known = before?.heard.get(node);
    if (known?.tick === tick) return [node, known] as const;
    return [node, { tick, at: monotonic - (before === undefined ? ageByItsWord(report, wall) : 0) }] as const;
  });
  const differing = [...differingKEKs(reports).keys()].map(
    (key) => [key, before?.differing.get(key) ?? monotonic] as const,
  );
  return {
    heard: new Map(heard),
    differing: new Map(differing),
    leftAt: inUse ? undefined : (before?.leftAt ?? monotonic),
  };
};
