import { element, fill } from './dom.js';
import { degradedLines, faultList, keyTable, migrationBars, nodeList } from './facts.js';
import { createPlugins } from './plugins.js';
import { troublesOf } from './state.js';
import { signOf } from './words.js';

/** @import { Condition, StackBoard } from './view.d.ts' */
/** @import { Frame } from './strip.js' */

/** @param {string} level @param {string} text */
const badge = (level, text) => element('span', { class: 'badge', 'data-level': level }, `${signOf(level)} ${text}`);

/** @param {StackBoard} board */
const headline = (board) => {
  const { name, state, status, seenAt } = board;
  const troubles = troublesOf(board);
  const level = state === 'waiting' || state === 'down' ? 'none' : troubles.length > 0 ? 'bad' : 'good';
  const text = state === 'waiting' ? 'looking' : troubles.join(', ') || 'all well';
  const faults = status?.faults.length ?? 0;
  return [
    element('h2', {}, name),
    badge(level, text),
    ...(faults > 0 ? [badge('warn', faults === 1 ? 'a fault in force' : `${faults} faults in force`)] : []),
    ...(status === null ? [] : [element('span', { class: 'quiet' }, `${status.platform} ${status.cluster.version}`)]),
    ...(state === 'seen' || seenAt === null
      ? []
      : [element('span', { class: 'seen quiet' }, 'last seen ', element('time', { 'data-since': seenAt }))]),
  ];
};

/** @param {StackBoard} board */
const notices = ({ name, problem, dead }) => [
  ...(problem === '' ? [] : [element('p', { class: 'notice untrusted' }, problem)]),
  ...dead.map((box) =>
    element(
      'p',
      { class: 'notice' },
      `box ${box} does not run: `,
      element('code', {}, `understudy up ${name}`),
      ' starts it',
    ),
  ),
];

/** @param {string} name @param {Condition} condition @param {'True' | 'False'} wanted */
const conditionEntry = (name, { status, reason, message }, wanted) => {
  const level = status === wanted ? 'good' : status === 'Unknown' ? 'unknown' : name === 'Degraded' ? 'bad' : 'warn';
  return element(
    'div',
    { class: 'condition' },
    element('dt', {}, name),
    element('dd', {}, badge(level, status), ' ', element('span', { class: 'untrusted' }, reason)),
    ...(message === '' || level === 'bad' ? [] : [element('dd', { class: 'quiet untrusted' }, message)]),
  );
};

/** @param {StackBoard} board */
const conditions = ({ status }) => {
  if (status === null) return [];
  const { type, encrypted } = status.encryption;
  return [
    element(
      'div',
      { class: 'condition' },
      element('dt', {}, 'Encryption'),
      element('dd', {}, element('strong', { class: 'type' }, type ?? 'unknown')),
    ),
    conditionEntry('Encrypted', encrypted, 'True'),
    conditionEntry('Degraded', status.degraded, 'False'),
  ];
};

/** What the page has of a stack, which is kept up to date as long as the stack is shown. */
export const createStack = () => {
  const head = element('header', {});
  const notice = element('div', { class: 'notices' });
  const summary = element('dl', { class: 'conditions' });
  const degraded = element('ul', { class: 'degraded' });
  const faults = element('section', { class: 'faults' });
  const plugins = createPlugins();
  const migration = element('section', { class: 'migration' });
  const keys = element('section', { class: 'keys' });
  const nodes = element('section', { class: 'nodes' });
  const known = element('div', { class: 'known' }, summary, degraded, faults, plugins.element);
  known.append(element('div', { class: 'facts' }, migration, keys, nodes));
  const card = element('article', { class: 'stack' }, head, notice, known);
  return {
    element: card,
    /** @param {StackBoard} board @param {Frame} frame */
    update: (board, frame) => {
      const { name, state, status, seenAt, problem, dead } = board;
      card.dataset.state = state;
      card.setAttribute('aria-label', `stack ${name}`);
      known.hidden = status === null;
      fill(
        head,
        [
          name,
          state,
          status?.platform,
          status?.cluster.version,
          status?.faults.length,
          seenAt && state !== 'seen' ? seenAt : 0,
          troublesOf(board),
        ],
        () => headline(board),
      );
      fill(notice, [problem, dead], () => notices(board));
      fill(summary, [status?.encryption.type, status?.encryption.encrypted, status?.degraded], () => conditions(board));
      fill(degraded, status?.degraded, () => (status === null ? [] : degradedLines(status.degraded)));
      fill(faults, status?.faults, () => faultList(status?.faults ?? []));
      fill(migration, status?.encryption.migration, () => migrationBars(status?.encryption.migration ?? null));
      fill(keys, status?.encryption.keys, () => keyTable(status?.encryption.keys ?? []));
      fill(nodes, status?.cluster.nodes, () => nodeList(status?.cluster.nodes ?? []));
      plugins.update(board, frame);
    },
  };
};
