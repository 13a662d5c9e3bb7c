import { describe, expect, test } from 'vitest';
import { UsageFailure } from '../common/failure.ts';
import { parseFlags } from './flags.ts';

const keys = {
  kind: 'node',
  plainSocketPath: '/var/run/kmsplugin/socket.sock',
  socketDir: undefined,
  keystoreDir: '/var/lib/kms-plugin',
};
const defaults = { keys, timeoutMs: 5_000, metricsAddress: undefined, logLevel: 'info' };

test('all flags have defaults', () => {
  expect(parseFlags([])).toEqual(defaults);
});

test.each([
  ['--listen-addr=unix:///run/kms.sock', '--timeout=3s'],
  ['-listen-addr=unix:///run/kms.sock', '-timeout=3s'],
  ['--listen-addr', 'unix:///run/kms.sock', '--timeout', '3s'],
  ['-listen-addr', 'unix:///run/kms.sock', '-timeout', '3s'],
])("flags of upstream's mock: %s", (...args) => {
  expect(parseFlags(args)).toEqual({
    ...defaults,
    keys: { ...keys, plainSocketPath: '/run/kms.sock' },
    timeoutMs: 3_000,
  });
});

test.each([
  [['--socket-dir=/run/kms'], { ...keys, plainSocketPath: undefined, socketDir: '/run/kms' }],
  [
    ['--socket-dir=/run/kms/', '--keystore-dir=/k'],
    { ...keys, plainSocketPath: undefined, socketDir: '/run/kms', keystoreDir: '/k' },
  ],
  [
    ['--socket-dir=/run/kms', '--listen-addr=unix:///run/a.sock'],
    { ...keys, plainSocketPath: '/run/a.sock', socketDir: '/run/kms' },
  ],
])('keys of a wish, with the plain one only where it is asked for: %s', (args, expected) => {
  expect(parseFlags(args)).toEqual({ ...defaults, keys: expected });
});

test.each([
  ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
  [':0', { host: undefined, port: 0 }],
  ['localhost:1', { host: 'localhost', port: 1 }],
  ['[::1]:65535', { host: '::1', port: 65535 }],
])('--metrics-addr %s', (value, metricsAddress) => {
  expect(parseFlags(['--metrics-addr', value])).toEqual({ ...defaults, metricsAddress });
});

test('the last one counts where a flag is given twice', () => {
  expect(parseFlags(['-timeout=1s', '--timeout=2s'])).toEqual({ ...defaults, timeoutMs: 2_000 });
});

test('--help', () => {
  expect(parseFlags(['--help'])).toBe('help');
  expect(parseFlags(['-help'])).toBe('help');
});

describe('what is refused', () => {
  test.each([
    [['--unknown'], 'unknown'],
    [['-config-file-path=/x'], 'config-file-path'],
    [['surplus'], 'surplus'],
    [['--timeout'], 'timeout'],
    [['--timeout='], 'not a duration'],
    [['--timeout=0'], 'not a duration'],
    [['--timeout=5'], 'not a duration'],
    [['--timeout=-3s'], 'not a duration'],
    [['--timeout=600h'], 'not a duration'],
    [['--listen-addr=/run/kms.sock'], 'not the address of a unix socket'],
    [['--listen-addr=unix://kms.sock'], 'not the address of a unix socket'],
    [['--listen-addr=unix:///run/'], 'not the address of a unix socket'],
    [['--listen-addr=tcp://127.0.0.1:1'], 'not the address of a unix socket'],
    [[`--listen-addr=unix:///${'x'.repeat(107)}`], '108 bytes'],
    [['--metrics-addr=8080'], 'not host:port'],
    [['--metrics-addr=:65536'], 'not host:port'],
    [['--metrics-addr=::1:80'], 'not host:port'],
    [['--metrics-addr=[x]:80'], 'not host:port'],
    [['--keystore-dir=keys'], 'not absolute'],
    [['--socket-dir=run'], 'not absolute'],
    [[`--socket-dir=/${'x'.repeat(90)}`], 'up to 111 bytes'],
    [['--log-level=loud'], 'no such level'],
  ])('%s', (args, reason) => {
    const parse = (): unknown => parseFlags(args);
    expect(parse).toThrow(UsageFailure);
    expect(parse).toThrow(reason);
  });
});
