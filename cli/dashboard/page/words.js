/** Colour alone tells nobody: each status has a sign too. @type {Readonly<Record<string, string>>} */
const signs = { healthy: '✓', unhealthy: '!', error: '✕', unknown: '?', good: '✓', bad: '✕', warn: '!', none: '–' };

/** @param {string} status */
export const signOf = (status) => signs[status] ?? '?';

/** @param {number} number */
const two = (number) => String(number).padStart(2, '0');

/** `09:05:30`, by the reader's clock. @param {number} ms since the epoch */
export const clock = (ms) => {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
};

/** `42s`, `2m05s`, `1h02m`. @param {number} ms */
export const span = (ms) => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}m${two(seconds % 60)}s` : `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
};

/** Time left of a fault. @param {number} until @param {number} now milliseconds since the epoch */
export const timeLeft = (until, now) => {
  const left = Math.ceil((until - now) / 1000);
  return left <= 0 ? 'ended' : `${span(left * 1000)} left`;
};

/** @param {number} since @param {number} now milliseconds since the epoch */
export const ago = (since, now) => (now - since < 1500 ? 'just now' : `${span(now - since)} ago`);

/** The beginning and the end of a long id, which tell ids apart. @param {string} id @param {number} most characters */
export const shortened = (id, most) =>
  id.length <= most ? id : `${id.slice(0, Math.ceil(most * 0.65))}…${id.slice(-Math.floor(most * 0.3))}`;

/** @param {string | null} keyID */
export const keyName = (keyID) => (keyID === null ? 'no key' : `key ${keyID}`);

/** `1 fault`, `2 faults`. @param {number} count @param {string} noun */
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;
