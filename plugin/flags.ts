import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { messageOf, UsageFailure } from '../common/failure.ts';
import { parseDuration } from './duration.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof logLevels)[number];

export interface TcpAddress {
  /** Undefined for all addresses of the machine. */
  readonly host: string | undefined;
  readonly port: number;
}

export interface Settings {
  /** Absolute path of the unix socket. */
  readonly socketPath: string;
  /** Bound on each call and on a connection's first words, milliseconds. */
  readonly timeoutMs: number;
  readonly keystoreDir: string;
  /** Where metrics and health are served; nowhere if undefined. */
  readonly metricsAddress: TcpAddress | undefined;
  readonly logLevel: LogLevel;
}

export const usage = `A mock KMS v2 plugin for kube-apiserver. Flags, with one dash or two, '--flag value' or '--flag=value':

  --listen-addr    unix socket to serve (unix:///var/run/kmsplugin/socket.sock)
  --timeout        bound on each call, as a Go duration (5s)
  --keystore-dir   directory of the key-encryption keys, made where missing (/var/lib/kms-plugin)
  --metrics-addr   host:port for /metrics, /healthz and /readyz; off where not given
  --log-level      ${logLevels.join(', ')} (info)
  --help           this text
`;

/** What the kernel takes as a unix socket's path (sun_path without its closing zero), bytes. */
const longestSocketPath = 107;

/** The longest that Node's timers wait, milliseconds. */
const longestTimeout = 0x7fffffff;

const wrong = (flag: string, value: string, got: string, next: string): UsageFailure =>
  new UsageFailure({ tried: `use --${flag} '${value}'`, got, next });

const socketPathOf = (value: string): string => {
  const path = /^unix:\/\/(\/[^?#]*[^/?#])$/.exec(value)?.[1];
  if (path === undefined) {
    const next = 'give an absolute path, such as unix:///var/run/kmsplugin/socket.sock';
    throw wrong('listen-addr', value, 'it is not the address of a unix socket', next);
  }
  const length = Buffer.byteLength(path);
  if (length > longestSocketPath) {
    const got = `its path has ${length} bytes, a unix socket's can have ${longestSocketPath}`;
    throw wrong('listen-addr', value, got, 'give a shorter path');
  }
  return path;
};

const timeoutOf = (value: string): number => {
  const ms = parseDuration(value);
  if (ms === undefined || ms < 1 || ms > longestTimeout) {
    const got = 'it is not a duration between 1ms and 24 days';
    throw wrong('timeout', value, got, 'give a duration such as 5s or 500ms');
  }
  return ms;
};

const metricsAddressOf = (value: string): TcpAddress => {
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (digits === '' || port > 65_535 || (bracketed !== undefined && isIP(host) !== 6)) {
    throw wrong('metrics-addr', value, 'it is not host:port', 'give an address such as 127.0.0.1:8080 or :8080');
  }
  return { host: host === '' ? undefined : host, port };
};

const logLevelOf = (value: string): LogLevel => {
  const level = logLevels.find((name) => name === value);
  if (level === undefined) throw wrong('log-level', value, 'there is no such level', `give ${logLevels.join(', ')}`);
  return level;
};

const keystoreDirOf = (value: string): string => {
  if (!value.startsWith('/')) throw wrong('keystore-dir', value, 'it is not absolute', 'give an absolute path');
  return value;
};

/** Go's flag package, whose style users of upstream's mock know, takes one dash for two. */
const withTwoDashes = (arg: string): string => (/^-[a-z]/.test(arg) ? `-${arg}` : arg);

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: args.map(withTwoDashes),
      options: {
        'listen-addr': { type: 'string', default: 'unix:///var/run/kmsplugin/socket.sock' },
        timeout: { type: 'string', default: '5s' },
        'keystore-dir': { type: 'string', default: '/var/lib/kms-plugin' },
        'metrics-addr': { type: 'string' },
        'log-level': { type: 'string', default: 'info' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (cause) {
    throw new UsageFailure({
      tried: 'understand the command line',
      got: messageOf(cause),
      next: 'see --help',
      cause,
    });
  }
};

/**
 * What the command line asks for.
 * @throws UsageFailure on a flag that does not exist and on a value that does not fit.
 */
export const parseFlags = (args: readonly string[]): Settings | 'help' => {
  const flags = parse(args);
  if (flags.help) return 'help';
  return {
    socketPath: socketPathOf(flags['listen-addr']),
    timeoutMs: timeoutOf(flags.timeout),
    keystoreDir: keystoreDirOf(flags['keystore-dir']),
    metricsAddress: flags['metrics-addr'] === undefined ? undefined : metricsAddressOf(flags['metrics-addr']),
    logLevel: logLevelOf(flags['log-level']),
  };
};
