import { expect, test } from 'vitest';
import { StatusCode } from '../grpc/status.ts';
import {
  type Call,
  type Decision,
  decide,
  type FaultMemory,
  freshMemory,
  isSocketMissing,
  nextExpiryMs,
} from './decide.ts';
import { type Fault, type FaultMethod, faultMethods } from './fault.ts';

const noon = Date.parse('2026-11-21T12:00:00Z');

const call = (method: FaultMethod, more: Partial<Call> = {}): Call => ({ keyNumber: 1, method, nowMs: noon, ...more });

const decisionOf = (faults: readonly Fault[], asked: Call): Decision => decide(faults, asked, freshMemory).decision;

/** Decisions of several calls, each with what the ones before have left. */
const inTurn = (faults: readonly Fault[], calls: readonly Call[]): readonly Decision['outcome'][] => {
  let memory: FaultMemory = freshMemory;
  return calls.map((asked) => {
    const { decision, memory: next } = decide(faults, asked, memory);
    memory = next;
    return decision.outcome;
  });
};

const truth = { healthz: undefined, version: undefined, keyId: undefined };
const untouched: Decision = { delayMs: 0, outcome: truth };

test('without faults nothing is touched', () => {
  for (const method of faultMethods) expect(decisionOf([], call(method))).toEqual(untouched);
});

test.each<[Fault, Partial<Record<FaultMethod, Partial<Decision>>>]>([
  [
    { name: 'f', kind: 'latency', milliseconds: 300 },
    { status: { delayMs: 300 }, encrypt: { delayMs: 300 }, decrypt: { delayMs: 300 } },
  ],
  [{ name: 'f', kind: 'latency', milliseconds: 300, method: 'encrypt' }, { encrypt: { delayMs: 300 } }],
  [
    { name: 'f', kind: 'hang' },
    { status: { outcome: 'hang' }, encrypt: { outcome: 'hang' }, decrypt: { outcome: 'hang' } },
  ],
  [{ name: 'f', kind: 'hang', method: 'decrypt' }, { decrypt: { outcome: 'hang' } }],
  [
    { name: 'f', kind: 'error', code: 'UNAVAILABLE', method: 'status' },
    { status: { outcome: { code: 14, message: 'fault f' } } },
  ],
  [
    { name: 'f', kind: 'error', code: 'ABORTED', message: 'out of order', method: 'status' },
    { status: { outcome: { code: 10, message: 'out of order' } } },
  ],
  [
    { name: 'f', kind: 'decrypt-only' },
    { decrypt: { outcome: { code: 7, message: 'fault f: Decrypt is not permitted' } } },
  ],
  [{ name: 'f', kind: 'unhealthy' }, { status: { outcome: { ...truth, healthz: 'unhealthy' } } }],
  [{ name: 'f', kind: 'wrong-version' }, { status: { outcome: { ...truth, version: 'v1beta1' } } }],
  [
    { name: 'f', kind: 'empty-key-id' },
    { status: { outcome: { ...truth, keyId: 'empty' } }, encrypt: { outcome: { ...truth, keyId: 'empty' } } },
  ],
  [
    { name: 'f', kind: 'oversized-key-id' },
    { status: { outcome: { ...truth, keyId: 'oversized' } }, encrypt: { outcome: { ...truth, keyId: 'oversized' } } },
  ],
  [{ name: 'f', kind: 'mismatched-key-id' }, { encrypt: { outcome: { ...truth, keyId: 'alias' } } }],
  [{ name: 'f', kind: 'missing-socket' }, {}],
])('%j touches its methods and no other', (fault, touched) => {
  for (const method of faultMethods) {
    expect(decisionOf([fault], call(method))).toEqual({ ...untouched, ...touched[method] });
  }
});

test('a fault of one key leaves the others alone, and one without a key has them all', () => {
  expect(decisionOf([{ name: 'f', kind: 'hang', key: 2 }], call('status'))).toEqual(untouched);
  expect(decisionOf([{ name: 'f', kind: 'hang', key: 1 }], call('status')).outcome).toBe('hang');
  expect(decisionOf([{ name: 'f', kind: 'hang', key: 0 }], call('status', { keyNumber: 0 })).outcome).toBe('hang');
  expect(decisionOf([{ name: 'f', kind: 'hang' }], call('status', { keyNumber: 7 })).outcome).toBe('hang');
});

test('a fault is over at its time, whatever the time zone it is written in', () => {
  const fault: Fault = { name: 'f', kind: 'hang', until: '2026-11-21T13:00:01+01:00' };
  expect(decisionOf([fault], call('status', { nowMs: noon + 999 })).outcome).toBe('hang');
  expect(decisionOf([fault], call('status', { nowMs: noon + 1_000 }))).toEqual(untouched);
});

test('a socket is missing for its key and its time', () => {
  const faults: readonly Fault[] = [
    { name: 'f', kind: 'hang' },
    { name: 'g', kind: 'missing-socket', key: 2, until: '2026-11-21T12:00:01Z' },
  ];
  expect(isSocketMissing(faults, 1, noon)).toBe(false);
  expect(isSocketMissing(faults, 2, noon)).toBe(true);
  expect(isSocketMissing(faults, 2, noon + 1_000)).toBe(false);
  expect(isSocketMissing([{ name: 'g', kind: 'missing-socket' }], 9, noon)).toBe(true);
});

test('the next expiry is the earliest that is not over', () => {
  const until = (second: number): Fault => ({ name: 'f', kind: 'hang', until: `2026-11-21T12:00:0${second}Z` });
  expect(nextExpiryMs([until(5), until(3), { name: 'g', kind: 'hang' }], noon)).toBe(noon + 3_000);
  expect(nextExpiryMs([until(5), until(3)], noon + 3_000)).toBe(noon + 5_000);
  expect(nextExpiryMs([until(5)], noon + 5_000)).toBeUndefined();
  expect(nextExpiryMs([], noon)).toBeUndefined();
});

test('the key_id flips with each Status, and Encrypt says what the last Status said', () => {
  const methods: readonly FaultMethod[] = [
    'encrypt',
    'status',
    'encrypt',
    'decrypt',
    'encrypt',
    'status',
    'encrypt',
    'status',
  ];
  const keyIds = inTurn(
    [{ name: 'f', kind: 'flip-flop-key-id' }],
    methods.map((method) => call(method)),
  );
  const alias = { ...truth, keyId: 'alias' };
  expect(keyIds).toEqual([truth, alias, alias, truth, alias, truth, truth, alias]);
});

test('a key_id that flips and is mismatched is never the one of the last Status', () => {
  const faults: readonly Fault[] = [
    { name: 'f', kind: 'flip-flop-key-id' },
    { name: 'g', kind: 'mismatched-key-id' },
  ];
  const methods: readonly FaultMethod[] = ['status', 'encrypt', 'status', 'encrypt'];
  const alias = { ...truth, keyId: 'alias' };
  expect(
    inTurn(
      faults,
      methods.map((method) => call(method)),
    ),
  ).toEqual([alias, truth, truth, alias]);
});

const refused = { code: StatusCode.RESOURCE_EXHAUSTED, message: 'fault f: more than 2 calls a second' };

test('a rate limit lets a second of calls through at once, refuses the rest, and takes in again what time brings', () => {
  const fault: Fault = { name: 'f', kind: 'rate-limit', perSecond: 2 };
  const at = [0, 0, 0, 499, 500, 500, 10_000, 10_000, 10_000];
  const outcomes = inTurn(
    [fault],
    at.map((ms) => call('decrypt', { nowMs: noon + ms })),
  );
  expect(outcomes.map((outcome) => outcome === truth || JSON.stringify(outcome) === JSON.stringify(truth))).toEqual([
    true,
    true,
    false,
    false,
    true,
    false,
    true,
    true,
    false,
  ]);
  expect(outcomes[2]).toEqual(refused);
});

test('less than one call a second lets the first through, then one in its time', () => {
  const fault: Fault = { name: 'f', kind: 'rate-limit', perSecond: 0.1 };
  const outcomes = inTurn(
    [fault],
    [0, 9_999, 10_000, 10_001].map((ms) => call('status', { nowMs: noon + ms })),
  );
  expect(outcomes.map((outcome) => typeof outcome === 'object' && 'code' in outcome)).toEqual([
    false,
    true,
    false,
    true,
  ]);
});

test('a rate limit on one method neither counts nor refuses the others, and remembers meanwhile', () => {
  const fault: Fault = { name: 'f', kind: 'rate-limit', perSecond: 1, method: 'decrypt' };
  const methods: readonly FaultMethod[] = ['status', 'decrypt', 'status', 'encrypt', 'decrypt'];
  const outcomes = inTurn(
    [fault],
    methods.map((method) => call(method)),
  );
  expect(outcomes.map((outcome) => typeof outcome === 'object' && 'code' in outcome)).toEqual([
    false,
    false,
    false,
    false,
    true,
  ]);
});

test('a clock that goes back refuses nothing that it would not have', () => {
  const fault: Fault = { name: 'f', kind: 'rate-limit', perSecond: 2 };
  const outcomes = inTurn(
    [fault],
    [0, -5_000].map((ms) => call('status', { nowMs: noon + ms })),
  );
  expect(outcomes).toEqual([truth, truth]);
});

test('what a fault remembers goes with it', () => {
  const limit: Fault = { name: 'f', kind: 'rate-limit', perSecond: 1 };
  const spent = decide([limit], call('status'), freshMemory).memory;
  const other = decide([{ name: 'g', kind: 'hang' }], call('status'), spent).memory;
  expect(other.buckets.size).toBe(0);
});

test('several faults compose in the order of the table', () => {
  const latency: Fault = { name: 'a', kind: 'latency', milliseconds: 100 };
  const more: Fault = { name: 'b', kind: 'latency', milliseconds: 50 };
  const limit: Fault = { name: 'f', kind: 'rate-limit', perSecond: 2 };
  const hang: Fault = { name: 'd', kind: 'hang' };
  const error: Fault = { name: 'e', kind: 'error', code: 'INTERNAL' };
  const second: Fault = { name: 'e2', kind: 'error', code: 'ABORTED' };
  const decryptOnly: Fault = { name: 'g', kind: 'decrypt-only' };
  const all: readonly Fault[] = [decryptOnly, error, second, hang, limit, more, latency];
  const three = [call('decrypt'), call('decrypt'), call('decrypt')];
  expect(decisionOf(all, call('decrypt')).delayMs).toBe(150);
  expect(inTurn(all, three)).toEqual(['hang', 'hang', refused]);
  expect(decisionOf([decryptOnly, error, second], call('decrypt')).outcome).toEqual({ code: 13, message: 'fault e' });
  const bent = decisionOf(
    [
      { name: 'h', kind: 'unhealthy' },
      { name: 'i', kind: 'wrong-version' },
      { name: 'j', kind: 'oversized-key-id' },
      { name: 'k', kind: 'empty-key-id' },
      { name: 'l', kind: 'flip-flop-key-id' },
    ],
    call('status'),
  );
  expect(bent.outcome).toEqual({ healthz: 'unhealthy', version: 'v1beta1', keyId: 'oversized' });
});

test('a call that one rate limit refuses takes nothing from another', () => {
  const faults: readonly Fault[] = [
    { name: 'tight', kind: 'rate-limit', perSecond: 1, method: 'status' },
    { name: 'wide', kind: 'rate-limit', perSecond: 2 },
  ];
  const methods: readonly FaultMethod[] = ['status', 'status', 'decrypt', 'decrypt'];
  const outcomes = inTurn(
    faults,
    methods.map((method) => call(method)),
  );
  expect(outcomes.map((outcome) => typeof outcome === 'object' && 'code' in outcome)).toEqual([
    false,
    true,
    false,
    true,
  ]);
});
