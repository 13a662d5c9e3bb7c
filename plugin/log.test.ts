import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { LogLevel } from '../common/flagValues.ts';
import { StatusCode, StatusError } from './grpc/status.ts';
import { logCall } from './log.ts';
import type { CallReport } from './methods.ts';

const good: CallReport = { key: 3, method: 'Encrypt', uid: 'uid-1', seconds: 0.001_5, error: undefined };
const refused: CallReport = { ...good, error: new StatusError(StatusCode.NOT_FOUND, 'no key') };
const broken: CallReport = {
  ...good,
  error: new StatusError(StatusCode.INTERNAL, 'mistake', { cause: new Error('why') }),
};

const logged = (level: LogLevel, ...reports: readonly CallReport[]): readonly unknown[] => {
  const lines: unknown[] = [];
  const log = pino({ level, base: null, timestamp: false }, { write: (line) => lines.push(JSON.parse(line)) });
  for (const report of reports) logCall(log, report);
  return lines;
};

test('without debug, only what failed, and no uid', () => {
  expect(logged('info', good, refused, broken)).toEqual([
    { level: 40, key: 3, method: 'Encrypt', code: 'NOT_FOUND', msg: 'no key' },
    { level: 50, key: 3, method: 'Encrypt', err: expect.objectContaining({ message: 'why' }), msg: 'mistake' },
  ]);
  expect(logged('error', good, refused)).toEqual([]);
});

test('with debug, every call and its uid', () => {
  expect(logged('debug', good, refused)).toEqual([
    { level: 20, key: 3, method: 'Encrypt', uid: 'uid-1', ms: 1.5, msg: 'answered' },
    { level: 40, key: 3, method: 'Encrypt', uid: 'uid-1', ms: 1.5, code: 'NOT_FOUND', msg: 'no key' },
  ]);
});
