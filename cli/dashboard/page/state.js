/** @import { StackBoard, Track, View } from './view.d.ts' */

/** @param {Track} one @param {Track} other */
const isSame = (one, other) => one.node === other.node && one.keyID === other.keyID;

/** @param {readonly Track[]} known @param {Track} told @param {number} oldest */
const grown = (known, told, oldest) => {
  const changed = new Set(told.segments.map(({ from }) => from));
  const before = known.find((track) => isSame(track, told))?.segments ?? [];
  const kept = before.filter(({ from, to }) => !changed.has(from) && to >= oldest);
  return { ...told, segments: [...kept, ...told.segments] };
};

/** All that is known after a view that tells only what has changed. @param {View} known @param {View} told @returns {View} */
export const grownView = (known, told) => ({
  ...told,
  stacks: told.stacks.map((board) => {
    const tracks = known.stacks.find(({ name }) => name === board.name)?.tracks ?? [];
    return { ...board, tracks: board.tracks.map((track) => grown(tracks, track, told.now - told.keepMs)) };
  }),
});

/** @param {Track} track */
export const presentOf = ({ segments }) => segments.at(-1);

/** @param {StackBoard} board */
const pluginTroubles = ({ tracks }) => {
  const now = tracks.filter(({ served }) => served).map((track) => presentOf(track)?.status);
  const ill = now.filter((status) => status === 'unhealthy' || status === 'error').length;
  const unknown = now.filter((status) => status === 'unknown').length;
  return [
    ...(ill > 0 ? [`${ill} of ${now.length} keys not healthy`] : []),
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
  ];
};

/**
 * What somebody should look at, the worst first; nothing where all is well.
 * @param {StackBoard} board
 * @returns {readonly string[]}
 */
export const troublesOf = (board) => {
  const { state, status, dead } = board;
  if (state === 'waiting') return [];
  if (state === 'down') return ['not up'];
  if (state === 'unreachable') return ['no answer'];
  if (state === 'failed') return ['cannot be looked at'];
  return [
    ...(status?.cluster.ready === false || dead.length > 0 ? ['not ready'] : []),
    ...(status?.degraded.status === 'True' ? ['degraded'] : []),
    ...pluginTroubles(board),
  ];
};

/**
 * What has become of the plugins between two views, for those who do not see the page.
 * @param {View} before @param {View} after
 */
export const newsOf = (before, after) =>
  after.stacks.flatMap(({ name, tracks }) => {
    const known = before.stacks.find((board) => board.name === name)?.tracks ?? [];
    return tracks.flatMap((track) => {
      const was = known.find((other) => isSame(other, track));
      const is = presentOf(track)?.status;
      if (was === undefined || is === undefined || presentOf(was)?.status === is) return [];
      return [`${name}: key ${track.keyID ?? 'none'} on ${track.node} is ${is}`];
    });
  });
