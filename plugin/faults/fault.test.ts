import { expect, test } from 'vitest';
import { backendFaultSchema, errorCodes, faultKinds, faultMethods, faultProblem, faultSchema } from './fault.ts';

/** What the schema says of it: undefined where nothing is wrong. */
const problemOf = (value: unknown): string | undefined => {
  const { error } = faultSchema.safeParse(value);
  return error === undefined ? undefined : faultProblem(error);
};

/** The fields that a kind must have, beside its name. */
const required: Readonly<Record<string, object>> = {
  latency: { milliseconds: 300 },
  'rate-limit': { perSecond: 0.5 },
  error: { code: 'UNAVAILABLE' },
};

test('every kind is taken with nothing but what it must have, and with key and until', () => {
  expect(faultKinds).toHaveLength(12);
  for (const { name: kind } of faultKinds) {
    const fault = { name: 'some', kind, ...required[kind] };
    expect(faultSchema.parse(fault)).toEqual(fault);
    const bounded = { ...fault, key: 0, until: '2026-11-21T09:00:00+01:00' };
    expect(faultSchema.parse(bounded)).toEqual(bounded);
  }
});

test('the table says which fields each kind has', () => {
  expect(
    faultKinds.flatMap(({ name, fields }) => fields.map((field) => `${name} ${field.name} ${field.required}`)),
  ).toEqual([
    'latency milliseconds true',
    'latency method false',
    'rate-limit perSecond true',
    'rate-limit method false',
    'hang method false',
    'error code true',
    'error message false',
    'error method false',
  ]);
});

test('every method and all sixteen codes are taken', () => {
  expect(errorCodes).toHaveLength(16);
  for (const method of faultMethods) {
    for (const code of errorCodes) {
      expect(problemOf({ name: 'some', kind: 'error', code, method, message: 'out of order' })).toBeUndefined();
    }
  }
});

test.each<[object, RegExp]>([
  [{ kind: 'slow' }, /^kind must be one of missing-socket, latency, /],
  [{}, /^kind must be one of /],
  [{ kind: 'hang', name: 'Slow' }, /^name must be a name: a-z/],
  [{ kind: 'hang', name: undefined }, /^name must be a name$/],
  [{ kind: 'latency' }, /^milliseconds must be a whole number from 1 to 86400000 \(24 h\)$/],
  ...[0, -1, 1.5, 86_400_001, Number.NaN, '3s', null].map((milliseconds): [object, RegExp] => [
    { kind: 'latency', milliseconds },
    /^milliseconds must be a whole number/,
  ]),
  ...[0, -1, 1e-9, 1e7, Number.POSITIVE_INFINITY, '5'].map((perSecond): [object, RegExp] => [
    { kind: 'rate-limit', perSecond },
    /^perSecond must be a number above 0, from one a day \(0\.0000116\) to 1000000$/,
  ]),
  ...['OK', 'unavailable', 'TOO_SLOW', 14, 'toString'].map((code): [object, RegExp] => [
    { kind: 'error', code },
    /^code must be one of CANCELLED, .*UNAUTHENTICATED$/,
  ]),
  [{ kind: 'error', code: 'ABORTED', message: '' }, /^message must be a text of 1 to 1024 characters$/],
  [{ kind: 'error', code: 'ABORTED', message: 'x'.repeat(1025) }, /^message must be a text/],
  [{ kind: 'hang', method: 'Status' }, /^method must be one of status, encrypt, decrypt$/],
  [{ kind: 'hang', key: -1 }, /^key must be a key number, 0 or above$/],
  [{ kind: 'hang', key: '1' }, /^key must be a key number$/],
  [{ kind: 'hang', until: '60s' }, /^until must be a time as RFC 3339 writes it: /],
  [{ kind: 'hang', until: '2026-11-21T09:00:00' }, /^until must be a time/],
  [{ kind: 'hang', until: '2026-13-21T09:00:00Z' }, /^until must be a time/],
  [{ kind: 'hang', milliseconds: 5, code: 'ABORTED' }, /^hang has no milliseconds, code, only kind, key, /],
  [{ kind: 'unhealthy', method: 'status' }, /^unhealthy has no method, only kind, key, until, name$/],
  [{ kind: 'hang', node: 'worker' }, /^hang has no node, /],
  [{ kind: 'latency', milliseconds: 0, code: 'ABORTED' }, /^milliseconds must .*; latency has no code, /],
])('%j is refused', (fault, problem) => {
  expect(problemOf({ name: 'some', ...fault })).toMatch(problem);
});

test('times may be written in small letters, with fractions', () => {
  const until = (text: string): string | undefined =>
    faultSchema.parse({ name: 'some', kind: 'hang', until: text }).until;
  expect(until('2026-11-21t09:00:00.123456789z')).toBe('2026-11-21T09:00:00.123456789Z');
});

test.each([3, null, 'hang', undefined])('%j is no fault', (value) => {
  expect(problemOf(value)).toBe('must be an object');
});

test('a KMSBackend has faults under their names, and says on which node', () => {
  const fault = { kind: 'hang', node: 'local-control-plane-1' };
  expect(backendFaultSchema.parse(fault)).toEqual(fault);
  expect(backendFaultSchema.safeParse({ ...fault, name: 'slow' }).success).toBe(false);
  expect(backendFaultSchema.safeParse({ kind: 'hang', node: '' }).success).toBe(false);
});
