import { byId, element, fill } from './dom.js';

const tip = byId('tip');
const margin = 8;

/** @type {Element | undefined} whose words it shows */
let owner;

/**
 * Shows words beside a place on the screen, inside the window.
 * @param {Element} of
 * @param {{ readonly x: number, readonly top: number, readonly bottom: number }} place
 * @param {string} status
 * @param {readonly string[]} lines
 */
export const showTip = (of, place, status, lines) => {
  owner = of;
  fill(tip, [status, lines], () => lines.map((line) => element('p', {}, line)));
  tip.dataset.status = status;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(Math.max(margin, place.x - width / 2), window.innerWidth - width - margin);
  const below = place.bottom + margin;
  const top = below + height <= window.innerHeight ? below : Math.max(margin, place.top - height - margin);
  tip.style.left = `${Math.max(margin, left)}px`;
  tip.style.top = `${top}px`;
};

/** @param {Element} of */
export const hideTip = (of) => {
  if (owner === of) tip.hidden = true;
};
