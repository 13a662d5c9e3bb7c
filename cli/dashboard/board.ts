import type { PluginStatus } from '../status/plugins.ts';
import type { StackStatus } from '../status/stackStatus.ts';
import { addSample, type HistoryLimits, type Sample, type Segment } from './history.ts';

/** What one look at a stack came to. */
export type Finding =
  | {
      readonly kind: 'seen';
      readonly status: StackStatus /** Boxes that do not run. */;
      readonly dead: readonly string[];
    }
  /** There is no cluster. */
  | { readonly kind: 'down'; readonly problem: string }
  /** It could not be looked at. */
  | { readonly kind: 'failed'; readonly problem: string };

/** A key of a node's plugin, now and over time. */
export interface Track {
  readonly node: string;
  /** `null` where the plugin has none yet, or does not tell. */
  readonly keyID: string | null;
  /** Whether the plugin still has the key; what it was before stays for a while. */
  readonly served: boolean;
  /** RFC 3339; `null` where nobody has told. */
  readonly lastChecked: string | null;
  /** Oldest first. */
  readonly segments: readonly Segment[];
}

/** What the page tells of a stack. */
export interface StackBoard {
  readonly name: string;
  /** `waiting`: nobody has looked yet. `unreachable`: its API server does not answer. */
  readonly state: 'waiting' | 'seen' | 'unreachable' | 'down' | 'failed';
  /** Why it cannot be seen as it is; empty where it can. */
  readonly problem: string;
  /** The last that was known of it, and when; `null` where nothing is, or the cluster is gone. */
  readonly status: StackStatus | null;
  /** Milliseconds since the epoch. */
  readonly seenAt: number | null;
  readonly dead: readonly string[];
  readonly tracks: readonly Track[];
}

export const boardOf = (name: string): StackBoard => ({
  name,
  state: 'waiting',
  problem: '',
  status: null,
  seenAt: null,
  dead: [],
  tracks: [],
});

const isOf =
  ({ node, keyID }: Pick<Track, 'node' | 'keyID'>) =>
  (other: Pick<Track, 'node' | 'keyID'>): boolean =>
    other.node === node && other.keyID === keyID;

const severity = ['healthy', 'unknown', 'unhealthy', 'error'] as const satisfies readonly PluginStatus['status'][];

/** Two pods may serve a node's key while one takes over from the other: what is wrong is not to be missed. */
const worstOfEach = (plugins: readonly PluginStatus[]): readonly PluginStatus[] =>
  plugins.filter(
    (plugin, index) =>
      !plugins.some((other, place) => {
        const worse = severity.indexOf(other.status) - severity.indexOf(plugin.status);
        return place !== index && isOf(plugin)(other) && (worse > 0 || (worse === 0 && place < index));
      }),
  );

/** By node, the newest key first. */
const inOrder = (one: Track, other: Track): number =>
  one.node.localeCompare(other.node, 'en', { numeric: true }) || Number(other.keyID) - Number(one.keyID);

const trackedPlugins = (
  tracks: readonly Track[],
  plugins: readonly PluginStatus[],
  at: number,
  limits: HistoryLimits,
): readonly Track[] => {
  const served = worstOfEach(plugins).map(({ node, keyID, lastChecked, ...sample }): Track => {
    const before = tracks.find(isOf({ node, keyID }))?.segments ?? [];
    return { node, keyID, served: true, lastChecked, segments: addSample(before, sample, at, limits) };
  });
  const gone = tracks
    .filter((track) => !served.some(isOf(track)) && (track.segments.at(-1)?.to ?? 0) >= at - limits.keepMs)
    .map((track) => ({ ...track, served: false }));
  return [...served, ...gone].sort(inOrder);
};

/** Of what nobody could tell anything. */
const untoldPlugins = (
  tracks: readonly Track[],
  detail: string,
  at: number,
  limits: HistoryLimits,
): readonly Track[] => {
  const sample: Sample = { status: 'unknown', kekID: null, detail };
  return tracks.map((track) =>
    track.served ? { ...track, segments: addSample(track.segments, sample, at, limits) } : track,
  );
};

const isUnreachable = ({ encryption }: StackStatus): boolean => encryption.encrypted.reason === 'ApiServerUnreachable';

/** A board after another look. What cannot be seen now stays as it was seen last. */
export const withFinding = (board: StackBoard, finding: Finding, at: number, limits: HistoryLimits): StackBoard => {
  if (finding.kind === 'down') {
    return { ...boardOf(board.name), state: 'down', problem: finding.problem };
  }
  if (finding.kind === 'seen' && !isUnreachable(finding.status)) {
    const { status, dead } = finding;
    const tracks = trackedPlugins(board.tracks, status.plugins, at, limits);
    return { ...board, state: 'seen', problem: '', status, seenAt: at, dead, tracks };
  }
  const untold = (problem: string) => ({ problem, tracks: untoldPlugins(board.tracks, problem, at, limits) });
  if (finding.kind === 'failed') return { ...board, state: 'failed', ...untold(finding.problem) };
  const { status, dead } = finding;
  const { message } = status.encryption.encrypted;
  return { ...board, state: 'unreachable', status: board.status ?? status, dead, ...untold(message) };
};

/** What somebody lacks who had all until then: of the history only what has changed. */
export const boardSince = (board: StackBoard, since: number): StackBoard => ({
  ...board,
  tracks: board.tracks.map((track) => ({ ...track, segments: track.segments.filter(({ to }) => to >= since) })),
});
