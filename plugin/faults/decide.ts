import { StatusCode } from '../grpc/status.ts';
import type { Fault, FaultMethod } from './fault.ts';

/** What a call is ended with instead of an answer. */
export interface Refusal {
  readonly code: StatusCode;
  readonly message: string;
}

/** How the key_id of an answer is bent; `alias` is another name for the same key (`aliasOf`). */
export type KeyIdChange = 'alias' | 'empty' | 'oversized';

/** What is bent in an answer; what is undefined stays true. */
export interface AnswerChange {
  readonly healthz: string | undefined;
  readonly version: string | undefined;
  readonly keyId: KeyIdChange | undefined;
}

/** What faults make of one call: first it waits, then it is ended one way or the other. */
export interface Decision {
  readonly delayMs: number;
  readonly outcome: AnswerChange | Refusal | 'hang';
}

/** One call of a client. */
export interface Call {
  /** 0 is the plain plugin. */
  readonly keyNumber: number;
  readonly method: FaultMethod;
  /** When it came, milliseconds since 1970. */
  readonly nowMs: number;
}

interface Bucket {
  readonly tokens: number;
  /** When there were so many, milliseconds since 1970. */
  readonly atMs: number;
}

/** What faults of one key must remember from call to call, by their names. */
export interface FaultMemory {
  readonly buckets: ReadonlyMap<string, Bucket>;
  /** Those whose last Status said the alias. */
  readonly flipped: ReadonlySet<string>;
}

export const freshMemory: FaultMemory = { buckets: new Map(), flipped: new Set() };

const unchanged: AnswerChange = { healthz: undefined, version: undefined, keyId: undefined };
const untouched: Decision = { delayMs: 0, outcome: unchanged };

const isRunning = ({ until }: Fault, nowMs: number): boolean => until === undefined || Date.parse(until) > nowMs;

const isOnKey = ({ key }: Fault, keyNumber: number): boolean => key === undefined || key === keyNumber;

const isOnMethod = (fault: Fault, method: FaultMethod): boolean =>
  !('method' in fault) || fault.method === undefined || fault.method === method;

/** Whether key `keyNumber` is to have no socket now. */
export const isSocketMissing = (faults: readonly Fault[], keyNumber: number, nowMs: number): boolean =>
  faults.some((fault) => fault.kind === 'missing-socket' && isOnKey(fault, keyNumber) && isRunning(fault, nowMs));

/** When the next fault runs out, milliseconds since 1970; undefined where none does. */
export const nextExpiryMs = (faults: readonly Fault[], nowMs: number): number | undefined => {
  const ends = faults.flatMap(({ until }) => (until === undefined ? [] : [Date.parse(until)]));
  const later = ends.filter((end) => end > nowMs);
  return later.length === 0 ? undefined : Math.min(...later);
};

type OfKind<Kind extends Fault['kind']> = Extract<Fault, { readonly kind: Kind }>;

/** A bucket holds what may be called in a second, one call at least, and is full at first. */
const refill = ({ perSecond }: OfKind<'rate-limit'>, before: Bucket | undefined, nowMs: number): Bucket => {
  const capacity = Math.max(1, perSecond);
  if (before === undefined) return { tokens: capacity, atMs: nowMs };
  const seconds = Math.max(0, nowMs - before.atMs) / 1000;
  return { tokens: Math.min(capacity, before.tokens + seconds * perSecond), atMs: nowMs };
};

/**
 * What the faults that concern a call make of it, and what to remember for the next one. Several compose:
 * delays add up; after them the first of rate limit, hang, error, decrypt-only that holds ends the call; otherwise all
 * that bend the answer do, and of those that bend the key_id the last of flip-flop, mismatched, empty, oversized counts.
 */
export const decide = (
  faults: readonly Fault[],
  { keyNumber, method, nowMs }: Call,
  memory: FaultMemory,
): { readonly decision: Decision; readonly memory: FaultMemory } => {
  if (faults.length === 0) return { decision: untouched, memory };
  const active = faults.filter((fault) => isOnKey(fault, keyNumber) && isRunning(fault, nowMs));
  const here = active.filter((fault) => isOnMethod(fault, method));
  const ofKind = <Kind extends Fault['kind']>(kind: Kind): readonly OfKind<Kind>[] =>
    here.filter((fault): fault is OfKind<Kind> => fault.kind === kind);
  const has = (kind: Fault['kind']): boolean => ofKind(kind).length > 0;

  const limits = ofKind('rate-limit').map((fault) => {
    const bucket = refill(fault, memory.buckets.get(fault.name), nowMs);
    return { fault, bucket, exceeded: bucket.tokens < 1 };
  });
  const exceeded = limits.find((limit) => limit.exceeded)?.fault;
  // A call that one limit refuses takes nothing from the others.
  const spent = exceeded === undefined ? 1 : 0;
  const buckets = limits.map(
    ({ fault, bucket }) => [fault.name, { ...bucket, tokens: bucket.tokens - spent }] as const,
  );

  const flips = active.filter(({ kind }) => kind === 'flip-flop-key-id').map(({ name }) => name);
  const flipped = flips.filter((name) => memory.flipped.has(name) !== (method === 'status'));

  const names = new Set(active.map(({ name }) => name));
  const kept = [...memory.buckets].filter(([name]) => names.has(name));
  const next: FaultMemory = { buckets: new Map([...kept, ...buckets]), flipped: new Set(flipped) };

  const delayMs = ofKind('latency').reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const [error] = ofKind('error');

  const bend = (): AnswerChange => {
    const keyId = (): KeyIdChange | undefined => {
      if (method === 'decrypt') return undefined;
      if (has('oversized-key-id')) return 'oversized';
      if (has('empty-key-id')) return 'empty';
      const alias = flipped.length > 0;
      const mismatched = method === 'encrypt' && has('mismatched-key-id');
      return alias !== mismatched ? 'alias' : undefined;
    };
    return {
      healthz: method === 'status' && has('unhealthy') ? 'unhealthy' : undefined,
      version: method === 'status' && has('wrong-version') ? 'v1beta1' : undefined,
      keyId: keyId(),
    };
  };
  const outcome = (): Decision['outcome'] => {
    if (exceeded !== undefined) {
      const message = `fault ${exceeded.name}: more than ${exceeded.perSecond} calls a second`;
      return { code: StatusCode.RESOURCE_EXHAUSTED, message };
    }
    if (has('hang')) return 'hang';
    if (error !== undefined) {
      return { code: StatusCode[error.code], message: error.message ?? `fault ${error.name}` };
    }
    const [decryptOnly] = method === 'decrypt' ? ofKind('decrypt-only') : [];
    if (decryptOnly !== undefined) {
      return { code: StatusCode.PERMISSION_DENIED, message: `fault ${decryptOnly.name}: Decrypt is not permitted` };
    }
    return bend();
  };
  return { decision: { delayMs, outcome: outcome() }, memory: next };
};
