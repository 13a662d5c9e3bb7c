import { change, drawn, element } from './dom.js';
import { hideTip, showTip } from './tip.js';
import { clock, keyName, shortened, signOf, span } from './words.js';

/** @import { Segment, Track } from './view.d.ts' */

/**
 * @typedef {object} Frame What a strip spans. Times are milliseconds since the epoch.
 * @property {number} now its right edge
 * @property {number} windowMs
 * @property {number} began when the dashboard began to look
 */

/** @type {readonly Segment['status'][]} */
const severity = ['healthy', 'unknown', 'unhealthy', 'error'];

/** Percent of the strip's height: what is wrong stands out by its shape too. */
const heights = { healthy: 46, unhealthy: 74, error: 100, unknown: 22 };

/** A look may take as long; until then, what was seen last goes on. */
const lookMs = 2_500;

/** Times of the grid, whole minutes. @param {Frame} frame */
export const ticksOf = ({ now, windowMs }) => {
  const step = windowMs <= 300_000 ? 60_000 : windowMs <= 900_000 ? 180_000 : 600_000;
  const first = Math.ceil((now - windowMs) / step) * step;
  return Array.from({ length: Math.floor((now - first) / step) + 1 }, (_, index) => first + index * step);
};

/** @param {Segment} segment @param {number} end */
const wordsOf = ({ status, from, kekID, detail }, end) => [
  `${signOf(status)} ${status}`,
  `${clock(from)} – ${clock(end)}, ${span(end - from)}`,
  ...(detail === '' ? [] : [detail]),
  ...(kekID === null ? [] : [`KEK ${shortened(kekID, 80)}`]),
];

/** The health of a key on a node over time: a picture, and a slider that keys move from one stretch to the next. */
export const createStrip = () => {
  const grid = drawn('g', { class: 'grid' });
  // The worse lies above the better, however short it is.
  const layers = severity.map(() => drawn('g'));
  const turns = drawn('g', { class: 'turns' });
  const cursor = drawn('rect', { class: 'cursor', y: 0, height: 100, visibility: 'hidden' });
  const picture = drawn('svg', { preserveAspectRatio: 'none', 'aria-hidden': 'true', focusable: 'false' });
  picture.append(grid, ...layers, turns, cursor);
  const strip = element('div', { class: 'strip', role: 'slider', tabindex: 0, 'aria-valuemin': 0 }, picture);
  /** @type {Map<number, Element>} by the time of their beginning */
  const rects = new Map();
  /** @type {readonly Segment[]} */
  let segments = [];
  /** @type {Frame} */
  let frame = { now: 0, windowMs: 1, began: 0 };
  /** @type {number | undefined} the beginning of the stretch that is read; undefined while none is */
  let read;

  /** Seconds since the dashboard began: small numbers, since pictures are drawn with seven digits. @param {number} ms */
  const x = (ms) => (ms - frame.began) / 1000;
  /** @param {Segment} segment */
  const endOf = (segment) =>
    segment === segments.at(-1) ? Math.max(segment.to, Math.min(frame.now, segment.to + lookMs)) : segment.to;

  const readIndex = () => segments.findIndex(({ from }) => from === read);

  const tell = () => {
    const index = readIndex();
    const segment = segments[index] ?? segments.at(-1);
    change(strip, {
      'aria-valuemax': Math.max(0, segments.length - 1),
      'aria-valuenow': index < 0 ? Math.max(0, segments.length - 1) : index,
      'aria-valuetext': segment === undefined ? 'not seen yet' : wordsOf(segment, endOf(segment)).join('; '),
    });
    if (read === undefined || segment === undefined) {
      change(cursor, { visibility: 'hidden' });
      return;
    }
    const from = Math.max(segment.from, frame.now - frame.windowMs);
    const end = endOf(segment);
    change(cursor, { x: x(from), width: Math.max(0, x(end) - x(from)), visibility: 'visible' });
    const box = strip.getBoundingClientRect();
    const middle = ((from + end) / 2 - (frame.now - frame.windowMs)) / frame.windowMs;
    const lines = wordsOf(segment, end);
    showTip(strip, { x: box.left + box.width * middle, top: box.top, bottom: box.bottom }, segment.status, lines);
  };

  /** @param {number | undefined} from */
  const readAt = (from) => {
    read = from;
    if (from === undefined) hideTip(strip);
    tell();
  };

  /** The worst that is under the pointer, or next to it: a stretch of a second is hard to hit. @param {number} clientX */
  const segmentUnder = (clientX) => {
    const { left, width } = strip.getBoundingClientRect();
    const at = frame.now - frame.windowMs + ((clientX - left) / width) * frame.windowMs;
    const reach = (4 / width) * frame.windowMs;
    const near = segments.filter((segment) => segment.from <= at + reach && endOf(segment) >= at - reach);
    return severity
      .map((status) => near.findLast((segment) => segment.status === status))
      .findLast((found) => found !== undefined);
  };

  /** @type {Readonly<Record<string, (index: number) => number>>} */
  const moves = {
    ArrowLeft: (index) => index - 1,
    ArrowRight: (index) => index + 1,
    ArrowDown: (index) => index - 1,
    ArrowUp: (index) => index + 1,
    Home: () => 0,
    End: () => segments.length - 1,
  };

  strip.addEventListener('pointermove', ({ clientX }) => readAt(segmentUnder(clientX)?.from));
  strip.addEventListener('pointerleave', () => readAt(undefined));
  strip.addEventListener('focus', () => {
    if (strip.matches(':focus-visible')) readAt(segments.at(-1)?.from);
  });
  strip.addEventListener('blur', () => readAt(undefined));
  strip.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') readAt(undefined);
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const first = segments.findIndex((segment) => endOf(segment) >= frame.now - frame.windowMs);
    const index = read === undefined ? segments.length - 1 : readIndex();
    readAt(segments[Math.max(first, Math.min(segments.length - 1, move(index)))]?.from);
  });

  const draw = () => {
    const left = x(frame.now - frame.windowMs);
    change(picture, { viewBox: `${left} 0 ${frame.windowMs / 1000} 100` });
    grid.replaceChildren(...ticksOf(frame).map((at) => drawn('line', { x1: x(at), x2: x(at), y1: 0, y2: 100 })));
    const there = new Set(segments.map(({ from }) => from));
    for (const [from, rect] of rects) {
      if (there.has(from)) continue;
      rect.remove();
      rects.delete(from);
    }
    for (const segment of segments) {
      const { from, status } = segment;
      const rect = rects.get(from) ?? drawn('rect', { 'data-status': status });
      if (!rects.has(from)) layers[severity.indexOf(status)]?.append(rect);
      rects.set(from, rect);
      const height = heights[status];
      change(rect, { x: x(from), width: Math.max(0, x(endOf(segment)) - x(from)), y: 100 - height, height });
    }
    const turned = segments.filter(({ kekID, from }, index) => {
      const before = segments[index - 1];
      return before?.to === from && kekID !== null && before.kekID !== null && before.kekID !== kekID;
    });
    turns.replaceChildren(...turned.map(({ from }) => drawn('line', { x1: x(from), x2: x(from), y1: 0, y2: 100 })));
  };

  return {
    element: strip,
    /** @param {Track} track @param {Frame} next */
    update: (track, next) => {
      segments = track.segments;
      frame = next;
      const over = `over the last ${span(next.windowMs)}`;
      change(strip, { 'aria-label': `${keyName(track.keyID)} on ${track.node}, ${over}` });
      draw();
      // What was read may have been forgotten meanwhile.
      if (read !== undefined && readIndex() < 0) read = segments[0]?.from;
      tell();
    },
  };
};
