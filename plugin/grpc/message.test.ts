import { describe, expect, test } from 'vitest';
import { checkMessageSize, onlyMessage, withPrefix } from './message.ts';
import { encodeStatusMessage, StatusCode, StatusError, statusErrorOf } from './status.ts';

const codeOf = (work: () => unknown): StatusCode | undefined => {
  try {
    work();
  } catch (error) {
    return statusErrorOf(error).code;
  }
  return undefined;
};

test('a message comes out of its prefix again', () => {
  expect(onlyMessage(withPrefix(Buffer.from('hello')))).toEqual(Buffer.from('hello'));
  expect(onlyMessage(withPrefix(Buffer.alloc(0)))).toHaveLength(0);
});

describe('onlyMessage refuses with the code that gRPC asks for', () => {
  const message = withPrefix(Buffer.from('hello'));
  test.each([
    ['no message', Buffer.alloc(0), StatusCode.UNIMPLEMENTED],
    ['two messages', Buffer.concat([message, message]), StatusCode.UNIMPLEMENTED],
    ['a compressed message', Buffer.concat([Buffer.from([1]), message.subarray(1)]), StatusCode.UNIMPLEMENTED],
    ['a part of a prefix', message.subarray(0, 3), StatusCode.INTERNAL],
    ['a part of a message', message.subarray(0, 7), StatusCode.INTERNAL],
  ])('%s', (_name, received, code) => {
    expect(codeOf(() => onlyMessage(received))).toBe(code);
  });
});

test('checkMessageSize refuses as soon as the length is known', () => {
  const long = withPrefix(Buffer.alloc(11));
  expect(codeOf(() => checkMessageSize(long.subarray(0, 4), 10))).toBeUndefined();
  expect(codeOf(() => checkMessageSize(long.subarray(0, 5), 10))).toBe(StatusCode.RESOURCE_EXHAUSTED);
  expect(codeOf(() => checkMessageSize(long, 11))).toBeUndefined();
  const endless = Buffer.concat([withPrefix(Buffer.from('x')), Buffer.alloc(11)]);
  expect(codeOf(() => checkMessageSize(endless, 11))).toBe(StatusCode.RESOURCE_EXHAUSTED);
});

test('unexpected errors are not shown to the caller', () => {
  const shown = statusErrorOf(new Error('secret'));
  expect(shown).toMatchObject({ code: StatusCode.INTERNAL, message: expect.not.stringContaining('secret') });
  const wanted = new StatusError(StatusCode.NOT_FOUND, 'no such key');
  expect(statusErrorOf(wanted)).toBe(wanted);
});

test('status messages are percent-encoded', () => {
  expect(encodeStatusMessage('50% of "ü"\n')).toBe('50%25 of "%C3%BC"%0A');
});
