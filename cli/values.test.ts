import { describe, expect, it } from 'vitest';
import { UsageFailure } from '../common/failure.ts';
import { durationOption, numberOption, portOption, wordOption } from './values.ts';

describe('options', () => {
  it('are read', () => {
    expect(durationOption('--timeout', '1m30s')).toBe(90_000);
    expect(numberOption('--key', '3')).toBe(3);
    expect(portOption('--port', '8088')).toBe(8088);
    expect(wordOption('the kind', 'b', ['a', 'b'])).toBe('b');
  });

  it.each(['', '0', '0s', '-5s', '10', 'soon'])("refuse the duration '%s'", (text) => {
    expect(() => durationOption('--timeout', text)).toThrow(UsageFailure);
  });

  it.each(['', ' ', 'x', 'Infinity', '1e999'])("refuse the number '%s'", (text) => {
    expect(() => numberOption('--key', text)).toThrow(UsageFailure);
  });

  it.each(['', '-1', '65536', '8e3', ' 80', '0x50'])("refuse the port '%s'", (text) => {
    expect(() => portOption('--port', text)).toThrow(UsageFailure);
  });

  it('list the words that there are', () => {
    expect(() => wordOption('the kind', 'c', ['a', 'b'])).toThrow("could not understand the kind: 'c' is none of a, b");
  });
});
