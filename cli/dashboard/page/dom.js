/** @typedef {Node | string} Child */

/**
 * An element. Texts become text and nothing else, wherever they come from.
 * @param {string} tag
 * @param {Readonly<Record<string, string | number | undefined>>} attributes those that are undefined are left out
 * @param {readonly Child[]} children
 */
export const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
};

/**
 * @param {string} tag
 * @param {Readonly<Record<string, string | number>>} attributes
 */
export const drawn = (tag, attributes = {}) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  change(made, attributes);
  return made;
};

/**
 * Sets attributes that are not so already.
 * @param {Element} target
 * @param {Readonly<Record<string, string | number>>} attributes
 */
export const change = (target, attributes) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (target.getAttribute(name) !== String(value)) target.setAttribute(name, String(value));
  }
};

/** @param {Element} target @param {string} text */
export const say = (target, text) => {
  if (target.textContent !== text) target.textContent = text;
};

/** @type {WeakMap<Element, string>} */
const shown = new WeakMap();

/**
 * Makes the content of an element anew, only where what it tells has changed: a text that somebody has selected stays.
 * @param {Element} target
 * @param {unknown} told
 * @param {() => readonly Child[]} build
 */
export const fill = (target, told, build) => {
  const key = JSON.stringify(told);
  if (shown.get(target) === key) return;
  shown.set(target, key);
  target.replaceChildren(...build());
};

/** @param {string} id */
export const byId = (id) => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
};
