import { expect, test } from 'vitest';
import type { ApiAnswer, ApiClient } from './apiClient.ts';
import { patience, patienceWith, pauseMs, sendPatiently, statusMessage } from './patience.ts';

test.each([undefined, 429, 503, 504])('an API server that is away or busy (%s) is waited for', (status) => {
  expect(patienceWith(status)).toBe(patience.away);
});

test.each([401, 403, 500])('a refusal (%s) that may be one of its first moments is waited for less', (status) => {
  expect(patienceWith(status)).toBe(patience.refused);
});

test.each([200, 201, 400, 404, 405, 409, 410, 422])('an answer %s stands', (status) => {
  expect(patienceWith(status)).toBeUndefined();
});

test('pauses grow, to 2 s at most, unless the API server says how long', () => {
  expect([0, 1, 2, 10, 1000].map((attempt) => pauseMs(attempt, undefined))).toEqual([50, 100, 200, 2000, 2000]);
  expect(pauseMs(0, 7)).toBe(7000);
  expect(pauseMs(5, 0)).toBe(50);
});

test('what a refusal says is its message, or its text', () => {
  expect(statusMessage({ status: 422, body: '{"message":"no such field"}' })).toBe('no such field');
  expect(statusMessage({ status: 502, body: 'Bad Gateway' })).toBe('HTTP status 502 Bad Gateway');
  expect(statusMessage({ status: 500, body: '' })).toBe('HTTP status 500');
});

const answering = (...answers: readonly (ApiAnswer | Error)[]): ApiClient & { readonly left: () => number } => {
  const left = [...answers];
  return {
    send: async () => {
      const answer = left.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('asked too often');
      return answer;
    },
    close: () => {},
    left: () => left.length,
  };
};
const request = { method: 'GET', path: '/' } as const;

test('a request is sent again over a lost connection and a busy server', async () => {
  const ok = { status: 200, body: 'ok' };
  const client = answering(new Error('ECONNRESET'), { status: 429, retryAfterSeconds: 0, body: '' }, ok);
  expect(await sendPatiently(client, request, new AbortController().signal)).toBe(ok);
});

test('what is stopped sends nothing more', async () => {
  const stopping = new AbortController();
  const client = answering({ status: 503, body: '' }, { status: 200, body: '' });
  const sent = sendPatiently(client, request, stopping.signal);
  stopping.abort();
  await expect(sent).rejects.toThrow(/abort/);
  expect(client.left()).toBe(1);
});
