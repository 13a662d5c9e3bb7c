import { UsageFailure } from '../common/failure.ts';
import {
  type LogLevel,
  logLevelOf,
  logLevels,
  type TcpAddress,
  tcpAddressOf,
  timeoutOf,
  wrong,
} from '../common/flagValues.ts';
import { parseGoFlags } from '../common/goFlags.ts';
import { type Target, targetNames } from '../common/kmsHealthTarget.ts';
import type { ConditionStatus } from './condition.ts';
import { type PluginSocket, socketsOf, socketsProblem } from './socket.ts';

export interface Settings {
  /** A list, or the path of a file that is followed. */
  readonly sockets: readonly PluginSocket[] | { readonly file: string };
  readonly nodeName: string;
  readonly intervalMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  /** The service account of the pod if undefined. */
  readonly kubeconfig: string | undefined;
  readonly target: Target;
  readonly reportTo: 'conditions' | 'health-reports';
  readonly conditionStatus: ConditionStatus;
  /** Where metrics and health are served; nowhere if undefined. */
  readonly metricsAddress: TcpAddress | undefined;
  readonly logLevel: LogLevel;
}

const reportTos = ['conditions', 'health-reports'] as const;
const conditionStatuses = ['fixed', 'derived'] as const;

export const usage = `Asks the KMS plugins of a node for their Status and reports it. Flags, with one dash or two, '--flag value' or '--flag=value':

  --kms-sockets        endpoints, with commas between: unix:///var/run/kmsplugin/kms-<number>.sock
  --kms-sockets-file   a file with an endpoint a line instead, read again at every tick
  --node-name          the node: one reporter a node and operator
  --interval           from tick to tick, as a Go duration (30s)
  --read-timeout       bound on each Status (5s)
  --write-timeout      bound on each write (10s)
  --kubeconfig         of the API server; the pod's service account where not given
  --target             whose object is reported to: ${targetNames.join(', ')} (kubeapiservers)
  --report-to          conditions: one condition, its message in JSON; health-reports: OpenShift's typed status (conditions)
  --condition-status   fixed: True whatever was found; derived: by what was found (fixed)
  --metrics-addr       host:port for /metrics and /healthz; off where not given
  --log-level          ${logLevels.join(', ')} (info)
  --help               this text
`;

const text = { type: 'string' } as const;

const parse = (args: readonly string[]) =>
  parseGoFlags(args, {
    'kms-sockets': { type: 'string', multiple: true, default: [] },
    'kms-sockets-file': text,
    'node-name': text,
    interval: { type: 'string', default: '30s' },
    'read-timeout': { type: 'string', default: '5s' },
    'write-timeout': { type: 'string', default: '10s' },
    kubeconfig: text,
    target: { type: 'string', default: 'kubeapiservers' },
    'report-to': { type: 'string', default: 'conditions' },
    'condition-status': { type: 'string', default: 'fixed' },
    'metrics-addr': text,
    'log-level': { type: 'string', default: 'info' },
    help: { type: 'boolean', default: false },
  });

const wordOf = <T extends string>(flag: string, value: string, words: readonly T[]): T => {
  const word = words.find((one) => one === value);
  if (word === undefined) throw wrong(flag, value, 'there is no such thing', `give ${words.join(' or ')}`);
  return word;
};

const socketsFlag = (given: readonly string[], file: string | undefined): Settings['sockets'] => {
  const endpoints = given.flatMap((value) => value.split(','));
  if (file !== undefined) {
    if (endpoints.length === 0) return { file };
    const got = '--kms-sockets is a fixed list, --kms-sockets-file names a file with another one';
    throw new UsageFailure({ tried: 'use both', got, next: 'leave out the one or the other' });
  }
  const next = 'give --kms-sockets=unix:///var/run/kmsplugin/kms-1.sock, with commas between several';
  if (endpoints.length === 0) throw wrong('kms-sockets', '', 'one endpoint at least is needed', next);
  const problem = socketsProblem(endpoints);
  if (problem !== undefined) throw wrong('kms-sockets', endpoints.join(','), problem, next);
  return socketsOf(endpoints);
};

/** As OpenShift's typed report takes it: a lower-case RFC 1123 subdomain. */
const nodeNameOf = (value: string): string => {
  if (/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value) && value.length <= 253) return value;
  throw wrong(
    'node-name',
    value,
    value === '' ? 'it is needed' : 'it is no name of a node',
    "give the node's name: spec.nodeName of the pod",
  );
};

/**
 * What the command line asks for.
 * @throws UsageFailure on a flag that does not exist and on a value that does not fit.
 */
export const parseFlags = (args: readonly string[]): Settings | 'help' => {
  const flags = parse(args);
  if (flags.help) return 'help';
  const metrics = flags['metrics-addr'];
  return {
    sockets: socketsFlag(flags['kms-sockets'], flags['kms-sockets-file']),
    nodeName: nodeNameOf(flags['node-name'] ?? ''),
    intervalMs: timeoutOf('interval', flags.interval),
    readTimeoutMs: timeoutOf('read-timeout', flags['read-timeout']),
    writeTimeoutMs: timeoutOf('write-timeout', flags['write-timeout']),
    kubeconfig: flags.kubeconfig,
    target: wordOf('target', flags.target, targetNames),
    reportTo: wordOf('report-to', flags['report-to'], reportTos),
    conditionStatus: wordOf('condition-status', flags['condition-status'], conditionStatuses),
    metricsAddress: metrics === undefined ? undefined : tcpAddressOf('metrics-addr', metrics),
    logLevel: logLevelOf('log-level', flags['log-level']),
  };
};
