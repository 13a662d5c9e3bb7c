import { element, fill, say } from './dom.js';
import { presentOf } from './state.js';
import { createStrip, ticksOf } from './strip.js';
import { clock, keyName, shortened, signOf } from './words.js';

/** @import { StackBoard, Track } from './view.d.ts' */
/** @import { Frame } from './strip.js' */

/** Keys whose nodes have different key-encryption keys now. @param {readonly Track[]} tracks */
const disagreeing = (tracks) => {
  /** @type {Map<string | null, Set<string>>} */
  const keks = new Map();
  for (const track of tracks) {
    const kekID = presentOf(track)?.kekID ?? null;
    if (track.served && kekID !== null) keks.set(track.keyID, (keks.get(track.keyID) ?? new Set()).add(kekID));
  }
  return new Set([...keks].filter(([, found]) => found.size > 1).map(([keyID]) => keyID));
};

/** The last that the plugin told; it need not be told still. @param {Track} track */
const lastKek = ({ segments }) => segments.findLast(({ kekID }) => kekID !== null)?.kekID ?? null;

/** @param {string | null} kekID @param {boolean} isTold @param {boolean} differs */
const kekWords = (kekID, isTold, differs) => [
  ...(kekID === null
    ? [element('span', { class: 'quiet' }, 'no KEK')]
    : [element('code', { class: isTold ? 'untrusted' : 'quiet untrusted', title: kekID }, shortened(kekID, 20))]),
  ...(kekID === null || isTold ? [] : [element('span', { class: 'quiet' }, 'when it was told last')]),
  ...(differs ? [element('span', { class: 'differs' }, '≠ not the same on all nodes')] : []),
];

const createRow = () => {
  const node = element('span', { class: 'node' });
  const key = element('span', { class: 'key' });
  const now = element('span', { class: 'badge' });
  const kek = element('span', { class: 'kek' });
  const strip = createStrip();
  const checked = element('span', { class: 'checked quiet' });
  const detail = element('p', { class: 'detail untrusted' });
  const row = element(
    'li',
    { class: 'row' },
    node,
    key,
    element('span', { class: 'now' }, now),
    kek,
    strip.element,
    checked,
    detail,
  );
  return {
    element: row,
    /**
     * @param {Track} track
     * @param {{ readonly differs: boolean, readonly isFirst: boolean, readonly problem: string }} place `isFirst` of its
     * node; `problem`: what the stack tells already
     * @param {Frame} frame
     */
    update: (track, { differs, isFirst, problem }, frame) => {
      const present = presentOf(track);
      const status = track.served ? (present?.status ?? 'unknown') : 'gone';
      const kekID = lastKek(track);
      const isTold = present?.kekID === kekID;
      const checkedAt = track.lastChecked === null ? Number.NaN : Date.parse(track.lastChecked);
      row.dataset.status = status;
      row.dataset.first = String(isFirst);
      say(node, track.node);
      say(key, keyName(track.keyID));
      now.dataset.level = status;
      say(now, track.served ? `${signOf(status)} ${status}` : '– no more served');
      fill(kek, [kekID, isTold, differs], () => kekWords(kekID, isTold, differs));
      fill(checked, [checkedAt], () =>
        Number.isNaN(checkedAt) ? [] : ['checked ', element('time', { 'data-since': checkedAt })],
      );
      const words = track.served && status !== 'healthy' ? (present?.detail ?? '') : '';
      say(detail, words === problem ? '' : words);
      detail.hidden = detail.textContent === '';
      strip.update(track, frame);
    },
  };
};

/** The health of all keys of all nodes: a row each, over one axis of time. */
export const createPlugins = () => {
  const list = element('ul', { class: 'rows' });
  const axis = element('li', { class: 'axis', 'aria-hidden': 'true' });
  const none = element('p', { class: 'quiet' }, 'No KMS plugin has been seen.');
  const section = element('section', { class: 'plugins' }, element('h3', {}, 'KMS plugins'), none, list);
  /** @type {Map<string, ReturnType<typeof createRow>>} */
  const rows = new Map();
  return {
    element: section,
    /** @param {StackBoard} board @param {Frame} frame */
    update: ({ tracks, problem }, frame) => {
      const recent = tracks.filter(({ served, segments }) => {
        return served || (segments.at(-1)?.to ?? 0) >= frame.now - frame.windowMs;
      });
      const names = recent.map(({ node, keyID }) => JSON.stringify([node, keyID]));
      const differing = disagreeing(recent);
      none.hidden = recent.length > 0;
      list.hidden = recent.length === 0;
      for (const [name, row] of rows) {
        if (names.includes(name)) continue;
        row.element.remove();
        rows.delete(name);
      }
      recent.forEach((track, index) => {
        const name = names[index] ?? '';
        const row = rows.get(name) ?? createRow();
        rows.set(name, row);
        // Moving an element that is in its place would take the focus from it.
        if (list.children[index] !== row.element) list.insertBefore(row.element, list.children[index] ?? null);
        const isFirst = recent[index - 1]?.node !== track.node;
        row.update(track, { differs: track.served && differing.has(track.keyID), isFirst, problem }, frame);
      });
      if (list.lastElementChild !== axis) list.append(axis);
      const marks = ticksOf(frame).map((at) => {
        const mark = element('span', { class: 'mark' }, clock(at).slice(0, 5));
        mark.style.left = `${100 - ((frame.now - at) / frame.windowMs) * 100}%`;
        return mark;
      });
      axis.replaceChildren(...marks);
    },
  };
};
