import { byId, element, say } from './dom.js';
import { createStack } from './stack.js';
import { grownView, newsOf, troublesOf } from './state.js';
import { ago, clock, counted, timeLeft } from './words.js';

/** @import { View } from './view.d.ts' */

/** The dashboard is heard each second; after this long it is taken for gone. */
const silenceMs = 4_000;
const againMs = 1_000;

const main = byId('stacks');
const lost = byId('lost');
const connection = byId('connection');
const none = element(
  'p',
  { class: 'empty' },
  'No stack is up. One that ',
  element('code', {}, 'understudy up'),
  ' makes shows here by itself.',
);

/** @type {View | undefined} */
let view;
/** What the dashboard's clock is ahead of this one's. Milliseconds. */
let ahead = 0;
/** When it was heard last, by a clock that nobody sets. */
let heard = performance.now();
/** @type {number | undefined} when it was lost; undefined while it is there */
let lostSince;
/** @type {Map<string, ReturnType<typeof createStack>>} */
const stacks = new Map();

/** What the strips span. */
const windowMs = () => {
  const chosen = document.querySelector('#windows :checked');
  return (chosen instanceof HTMLInputElement ? Number(chosen.value) : 900) * 1_000;
};

/** @param {View} known */
const drawStacks = (known) => {
  const frame = { now: Date.now() + ahead, windowMs: windowMs(), began: known.began };
  for (const [name, stack] of stacks) {
    if (known.stacks.some((board) => board.name === name)) continue;
    stack.element.remove();
    stacks.delete(name);
  }
  known.stacks.forEach((board, index) => {
    const stack = stacks.get(board.name) ?? createStack();
    stacks.set(board.name, stack);
    if (main.children[index] !== stack.element) main.insertBefore(stack.element, main.children[index] ?? null);
    stack.update(board, frame);
  });
  if (known.stacks.length === 0) main.replaceChildren(none);
  else none.remove();
};

/** @param {View} known */
const summarize = (known) => {
  const troubled = known.stacks.filter((board) => troublesOf(board).length > 0).map(({ name }) => name);
  const all = counted(known.stacks.length, 'stack');
  say(byId('summary'), troubled.length === 0 ? `${all}, all well` : `${all}, look at ${troubled.join(', ')}`);
  const sign = lostSince !== undefined ? '? ' : troubled.length > 0 ? '✕ ' : '';
  document.title = `${sign}${troubled.length > 0 ? `${troubled.join(', ')} – ` : ''}Understudy`;
};

const tick = () => {
  if (view !== undefined) {
    drawStacks(view);
    summarize(view);
  }
  const now = Date.now() + ahead;
  for (const time of document.querySelectorAll('time')) {
    const { since, until } = time.dataset;
    if (since !== undefined) say(time, ago(Number(since), now));
    if (until !== undefined) say(time, timeLeft(Number(until), now));
  }
};

/** @param {boolean} isHere */
const connected = (isHere) => {
  if (isHere) lostSince = undefined;
  else lostSince ??= Date.now();
  lost.hidden = isHere;
  document.body.dataset.connection = isHere ? 'live' : 'lost';
  connection.dataset.state = isHere ? 'live' : 'lost';
  say(connection, isHere ? '● live' : '○ lost');
  const text = `The dashboard does not answer since ${clock(lostSince ?? 0)}. What is below is the last that it told; the page goes on by itself when it is back.`;
  if (!isHere) say(lost, text);
};

/** @param {MessageEvent<string>} event @param {boolean} isAll */
const take = (event, isAll) => {
  /** @type {View} */
  const told = JSON.parse(event.data);
  const offset = told.now - Date.now();
  // A message is late by some milliseconds, now more, now less: nothing on the page should tremble.
  if (Math.abs(offset - ahead) > 500) ahead = offset;
  heard = performance.now();
  connected(true);
  const next = view === undefined || isAll ? told : grownView(view, told);
  const news = view === undefined ? [] : newsOf(view, next);
  if (news.length > 0) say(byId('news'), news.join('. '));
  view = next;
  tick();
};

const connect = () => {
  const events = new EventSource('events');
  heard = performance.now();
  const watchdog = setInterval(() => {
    if (performance.now() - heard > silenceMs) again();
  }, 500);
  // Browsers try again by themselves after some failures, and never after others.
  const again = () => {
    clearInterval(watchdog);
    events.close();
    connected(false);
    tick();
    setTimeout(connect, againMs);
  };
  events.addEventListener('error', again);
  events.addEventListener('all', (event) => take(event, true));
  events.addEventListener('change', (event) => take(event, false));
};

byId('choice').addEventListener('change', tick);
setInterval(tick, 1_000);
connect();
