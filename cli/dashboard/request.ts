/** What of a request decides how it is answered. */
export interface Asked {
  readonly method: string;
  /** Of the header Host. */
  readonly host: string | undefined;
  /** The request's target as it was sent. */
  readonly url: string;
}

export type Answer =
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'events' }
  | { readonly kind: 'refused'; readonly code: 403 | 404 | 405; readonly text: string };

/**
 * Sent with every answer. What plugins say is shown, so nothing may come in as a script: not even by way of the DOM, hence
 * the trusted types.
 */
export const safetyHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

export const eventsPath = '/events';
export const allowedMethods = ['GET', 'HEAD'];

/**
 * By any port: a tunnel may end at another one. Other names are those of a page elsewhere that has its own name point
 * here (DNS rebinding), to read what this machine alone may.
 */
const ownHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

const refused = (code: 403 | 404 | 405, text: string): Answer => ({ kind: 'refused', code, text });

/** @param files names of all that is served; a target is one of those, to the letter, or nothing */
export const answerTo = ({ method, host = '', url }: Asked, files: ReadonlySet<string>): Answer => {
  if (!ownHost.test(host)) return refused(403, 'ask for localhost or 127.0.0.1');
  if (!allowedMethods.includes(method)) return refused(405, 'this page is only to be read');
  const [path = ''] = url.split('?');
  if (path === eventsPath) return { kind: 'events' };
  const name = path === '/' ? 'index.html' : path.slice(1);
  return path.startsWith('/') && files.has(name) ? { kind: 'file', name } : refused(404, 'there is no such page');
};
