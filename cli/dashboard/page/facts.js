import { element } from './dom.js';
import { counted, signOf } from './words.js';

/** @import { ClusterNode, Condition, Fault, Key, Migration } from './view.d.ts' */

/** A condition's line begins with its type; what is said of it may go on over more lines. */
const degradedLine = /^([A-Za-z0-9_-]+Degraded): (.*)$/s;

/** @param {Condition} degraded */
export const degradedLines = ({ status, message }) =>
  status !== 'True'
    ? []
    : message.split('\n').map((line) => {
        const [, type, words = line] = degradedLine.exec(line) ?? [];
        const text = element('span', { class: 'untrusted' }, words);
        return type === undefined
          ? element('li', { class: 'more' }, text)
          : element('li', {}, element('b', {}, type), ' ', text);
      });

const common = ['name', 'state', 'kind', 'key', 'node', 'until'];

/** @param {Fault} fault */
const faultEntry = (fault) => {
  const { name, kind, key, node, until } = fault;
  const own = Object.entries(fault).flatMap(([field, value]) =>
    common.includes(field) ? [] : [`${field} ${String(value)}`],
  );
  const words = [...(kind === name ? [] : [kind]), ...own].join(' ');
  return element(
    'li',
    {},
    element('b', { class: 'untrusted' }, name),
    ...(words === '' ? [] : [element('span', { class: 'untrusted' }, words)]),
    element(
      'span',
      { class: 'quiet untrusted' },
      `${key === undefined ? 'every key' : `key ${key}`}, ${node ?? 'every node'}`,
    ),
    until === undefined
      ? element('span', { class: 'left' }, 'until cleared')
      : element('time', { class: 'left', 'data-until': Date.parse(until) }),
  );
};

/** @param {readonly Fault[]} faults */
export const faultList = (faults) =>
  faults.length === 0 ? [] : [element('h3', {}, 'Faults in force'), element('ul', {}, ...faults.map(faultEntry))];

/** @param {Migration | null} migration */
export const migrationBars = (migration) => {
  if (migration === null) return [];
  const bars = Object.entries(migration).map(([resource, { done, total }]) => {
    const percent = total === 0 ? '' : ` (${Math.floor((100 * done) / total)} %)`;
    const count = total === 0 ? 'not counted yet' : `${done} of ${total}${percent}`;
    const bar = element('progress', {
      max: Math.max(1, total),
      value: done,
      'aria-label': resource,
    });
    return element('li', {}, element('span', {}, resource), bar, element('span', { class: 'count' }, count));
  });
  const list =
    bars.length === 0 ? element('p', { class: 'quiet' }, 'everything is written again') : element('ul', {}, ...bars);
  return [element('h3', {}, 'Migration'), list];
};

/** @param {readonly Key[]} keys */
export const keyTable = (keys) => {
  if (keys.length === 0) return [element('h3', {}, 'Keys'), element('p', { class: 'quiet' }, 'there is none')];
  const titles = ['Key', 'Mode', 'State', 'Migrated'].map((title) => element('th', { scope: 'col' }, title));
  const rows = keys.map(({ id, mode, state, migrated }) =>
    element(
      'tr',
      { 'data-state': state },
      element('th', { scope: 'row' }, id),
      element('td', {}, mode),
      element('td', {}, element('span', { class: 'keyState', 'data-state': state }, state)),
      element('td', {}, migrated ? `${signOf('good')} yes` : `${signOf('none')} no`),
    ),
  );
  const table = element('table', {}, element('thead', {}, element('tr', {}, ...titles)), element('tbody', {}, ...rows));
  return [element('h3', {}, 'Keys'), table];
};

/** More than this many are counted; only those that are not ready are named. */
const mostNamed = 8;

/** @param {readonly ClusterNode[]} all */
export const nodeList = (all) => {
  const hollow = all.filter((node) => node.hollow);
  const nodes = all.filter((node) => !node.hollow);
  return [...named('node', nodes), ...(hollow.length === 0 ? [] : named('hollow node', hollow))];
};

/** @param {string} what @param {readonly ClusterNode[]} nodes */
const named = (what, nodes) => {
  const ready = nodes.filter((node) => node.ready).length;
  const shown = nodes.length <= mostNamed ? nodes : nodes.filter((node) => !node.ready);
  const entries = shown.slice(0, 3 * mostNamed).map((node) => {
    const level = node.ready ? 'good' : 'bad';
    const text = `${signOf(level)} ${node.name}`;
    return element(
      'li',
      { 'data-level': level },
      text,
      ...(node.ready ? [] : [element('span', { class: 'quiet' }, ' not ready')]),
    );
  });
  const title = `${counted(nodes.length, what)}, ${ready === nodes.length ? 'all' : ready} ready`;
  return [element('h3', {}, title), element('ul', {}, ...entries)];
};
