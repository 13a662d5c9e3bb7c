import { type Identity, uidSpace } from './podUids.ts';

/** UIDs from the first to the last. */
export interface UidRange {
  readonly first: number;
  readonly last: number;
}

export type Annotations = Readonly<Record<string, string>>;

/** What OpenShift writes on a namespace. */
export const rangeAnnotations = {
  uids: 'openshift.io/sa.scc.uid-range',
  groups: 'openshift.io/sa.scc.supplemental-groups',
  mcs: 'openshift.io/sa.scc.mcs',
} as const;

/** UIDs of a namespace. */
const blockSize = 10_000;
const blockCount = (uidSpace.last - uidSpace.first + 1) / blockSize;
/** SELinux labels kept for a namespace. */
const labelsPerBlock = 5;
/** Kubernetes takes no greater UID. */
const greatestUid = 0x7fffffff;

/** `start/size` or `start-end`; undefined where it is neither, or no range of UIDs but root's. */
export const parseRange = (text: string): UidRange | undefined => {
  const [, start = '', separator, second = ''] = /^(\d{1,10})([/-])(\d{1,10})$/.exec(text.trim()) ?? [];
  const first = Number(start);
  const last = separator === '/' ? first + Number(second) - 1 : Number(second);
  return first >= 1 && last >= first && last <= greatestUid ? { first, last } : undefined;
};

/** Numbers of the blocks that a range touches. */
const blocksOf = ({ first, last }: UidRange): readonly number[] => {
  const from = Math.max(0, Math.floor((first - uidSpace.first) / blockSize));
  const to = Math.min(blockCount - 1, Math.floor((last - uidSpace.first) / blockSize));
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
};

/** Blocks that are taken by namespaces with these annotations. */
export const takenBlocks = (namespaces: Iterable<Annotations>): ReadonlySet<number> => {
  const taken = new Set<number>();
  for (const annotations of namespaces) {
    const range = parseRange(annotations[rangeAnnotations.uids] ?? '');
    for (const block of range === undefined ? [] : blocksOf(range)) taken.add(block);
  }
  return taken;
};

/** Undefined where all are taken. */
export const lowestFree = (taken: { has(block: number): boolean }): number | undefined => {
  for (let block = 0; block < blockCount; block++) if (!taken.has(block)) return block;
  return undefined;
};

/**
 * The two categories of the label with this number, in co-lexicographic order, as OpenShift counts them.
 * @see https://github.com/openshift/cluster-policy-controller/tree/master/pkg/security/mcs
 */
const mcsLabel = (number: number): string => {
  const high = Math.floor((1 + Math.sqrt(1 + 8 * number)) / 2);
  return `s0:c${high},c${number - (high * (high - 1)) / 2}`;
};

/** What a namespace that is given this block is annotated with; a label that it has stays, as on OpenShift. */
export const annotationsOf = (block: number, present: Annotations = {}): Annotations => {
  const range = `${uidSpace.first + block * blockSize}/${blockSize}`;
  return {
    [rangeAnnotations.uids]: range,
    [rangeAnnotations.groups]: range,
    ...(present[rangeAnnotations.mcs] === undefined && { [rangeAnnotations.mcs]: mcsLabel(block * labelsPerBlock) }),
  };
};

/** Who pods of a namespace run as; `problem` where its annotations do not say. */
export const identityOf = (annotations: Annotations): Identity | { readonly problem: string } => {
  const uids = annotations[rangeAnnotations.uids] ?? '';
  const groups = annotations[rangeAnnotations.groups] ?? uids;
  const range = parseRange(uids);
  if (range === undefined) return { problem: `${rangeAnnotations.uids}: '${uids}' is not <start>/<size>` };
  const group = parseRange(groups.split(',')[0] ?? '');
  if (group === undefined) return { problem: `${rangeAnnotations.groups}: '${groups}' is not <start>/<size>` };
  return { uid: range.first, fsGroup: group.first };
};
