import { expect, it } from 'vitest';
import { UsageFailure } from '../common/failure.ts';
import { parseFlags, usage } from './flags.ts';

const socket = (number: number): string => `unix:///var/run/kmsplugin/kms-${number}.sock`;
const needed = [`--kms-sockets=${socket(1)}`, '--node-name=master-0'];

it('has upstream’s defaults', () => {
  expect(parseFlags(needed)).toEqual({
    sockets: [{ keyID: '1', path: '/var/run/kmsplugin/kms-1.sock' }],
    nodeName: 'master-0',
    intervalMs: 30_000,
    readTimeoutMs: 5_000,
    writeTimeoutMs: 10_000,
    kubeconfig: undefined,
    target: 'kubeapiservers',
    reportTo: 'conditions',
    conditionStatus: 'fixed',
    metricsAddress: undefined,
    logLevel: 'info',
  });
});

it('takes what upstream takes, and more', () => {
  const flags = [
    `-kms-sockets=${socket(1)},${socket(2)}`,
    `--kms-sockets=${socket(3)}`,
    ...['-node-name', 'a.b-c', '--interval=1s', '-read-timeout', '500ms', '--write-timeout=1m'],
    ...['--kubeconfig=/k', '--target=authentications', '--report-to=health-reports', '--condition-status=derived'],
    ...['--metrics-addr=:9809', '--log-level=debug'],
  ];
  expect(parseFlags(flags)).toMatchObject({
    sockets: [{ keyID: '1' }, { keyID: '2' }, { keyID: '3' }],
    nodeName: 'a.b-c',
    intervalMs: 1_000,
    readTimeoutMs: 500,
    writeTimeoutMs: 60_000,
    kubeconfig: '/k',
    target: 'authentications',
    reportTo: 'health-reports',
    conditionStatus: 'derived',
    metricsAddress: { port: 9809 },
    logLevel: 'debug',
  });
  expect(parseFlags(['--kms-sockets-file=/s', '--node-name=n'])).toMatchObject({ sockets: { file: '/s' } });
  expect(parseFlags(['--help'])).toBe('help');
  expect(usage).toContain('--kms-sockets');
});

it.each([
  [['--node-name=n'], "use --kms-sockets ''"],
  [['--kms-sockets=', '--node-name=n'], "'' is not unix:///var/run/kmsplugin/kms-<number>.sock"],
  [['--kms-sockets=/tmp/x.sock', '--node-name=n'], "'/tmp/x.sock' is not unix:///"],
  [[`--kms-sockets=${socket(1)},${socket(1)}`, '--node-name=n'], 'is there twice'],
  [[...needed, '--kms-sockets-file=/s'], 'fixed list'],
  [[`--kms-sockets=${socket(1)}`], 'it is needed'],
  [[`--kms-sockets=${socket(1)}`, '--node-name=Master_0'], 'no name of a node'],
  [[`--kms-sockets=${socket(1)}`, `--node-name=${'n'.repeat(254)}`], 'no name of a node'],
  [[...needed, '--interval=0'], 'it is not a duration'],
  [[...needed, '--interval=-30s'], 'duration'],
  [[...needed, '--interval=30'], 'it is not a duration'],
  [[...needed, '--read-timeout=0s'], 'it is not a duration'],
  [[...needed, '--write-timeout=never'], 'it is not a duration'],
  [[...needed, '--target=kubeapiserver'], 'kubeapiservers or openshiftapiservers or authentications'],
  [[...needed, '--report-to=console'], 'conditions or health-reports'],
  [[...needed, '--condition-status=True'], 'fixed or derived'],
  [[...needed, '--metrics-addr=9809'], 'it is not host:port'],
  [[...needed, '--log-level=loud'], 'no such level'],
  [[...needed, '--other'], "Unknown option '--other'"],
  [[...needed, 'now'], "'now'"],
])('%j is refused', (args, message) => {
  expect(() => parseFlags(args)).toThrow(UsageFailure);
  expect(() => parseFlags(args)).toThrow(message);
});
