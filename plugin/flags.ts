import { UsageFailure } from '../common/failure.ts';
import {
  type LogLevel,
  logLevelOf,
  logLevels,
  portOf,
  type TcpAddress,
  tcpAddressOf,
  timeoutOf,
} from '../common/flagValues.ts';
import { parseGoFlags } from '../common/goFlags.ts';
import { directoryOf, socketDirOf, socketPathOf } from './flagValues.ts';
import { type VaultSettings, vaultOptions, vaultSettings } from './vaultFlags.ts';

/** Keys derived from a keystore on the node. */
export interface NodeSettings {
  readonly kind: 'node';
  readonly keystoreDir: string;
  /** Absolute path of key 0's socket; not served if undefined. */
  readonly plainSocketPath: string | undefined;
  /** Where the sockets of the keys that the wish names are; the wish is not read if undefined. */
  readonly socketDir: string | undefined;
}

export interface Settings {
  readonly keys: NodeSettings | VaultSettings;
  /** Bound on each call and on a connection's first words, milliseconds. */
  readonly timeoutMs: number;
  /** Where metrics and health are served; nowhere if undefined. */
  readonly metricsAddress: TcpAddress | undefined;
  readonly logLevel: LogLevel;
}

export const usage = `A mock KMS v2 plugin for kube-apiserver. Flags, with one dash or two, '--flag value' or '--flag=value':

  --listen-addr    unix socket of the plain key, number 0 (unix:///var/run/kmsplugin/socket.sock without --socket-dir)
  --socket-dir     directory of the sockets kms-<number>.sock of the keys in wish.json; none where not given
  --keystore-dir   directory of keystore.json, made where missing, and of wish.json (/var/lib/kms-plugin)
  --metrics-addr   host:port for /metrics, /healthz and /readyz; off where not given
  --timeout        bound on each call, as a Go duration (5s)
  --log-level      ${logLevels.join(', ')} (info)
  --help           this text

In place of a Vault plugin, with one key that follows from address, namespace and key path, and nothing on the disk:

  --listen-address --vault-address --vault-key-path --approle-role-id --approle-secret-id-path
  [--tls-ca-file --tls-sni --vault-namespace --vault-auth-namespace --metrics-port] [--timeout --log-level]
`;

const nodeOptions = {
  'listen-addr': { type: 'string' },
  'socket-dir': { type: 'string' },
  'keystore-dir': { type: 'string' },
  'metrics-addr': { type: 'string' },
} as const;

const parse = (args: readonly string[]) =>
  parseGoFlags(args, {
    ...nodeOptions,
    ...vaultOptions,
    timeout: { type: 'string', default: '5s' },
    'log-level': { type: 'string', default: 'info' },
    help: { type: 'boolean', default: false },
  });

type Flags = ReturnType<typeof parse>;

const nodeSettings = (flags: Flags): NodeSettings => {
  const socketDir = flags['socket-dir'] === undefined ? undefined : socketDirOf('socket-dir', flags['socket-dir']);
  const fallback = socketDir === undefined ? 'unix:///var/run/kmsplugin/socket.sock' : undefined;
  const plain = flags['listen-addr'] ?? fallback;
  return {
    kind: 'node',
    keystoreDir: directoryOf('keystore-dir', flags['keystore-dir'] ?? '/var/lib/kms-plugin'),
    plainSocketPath: plain === undefined ? undefined : socketPathOf('listen-addr', plain),
    socketDir,
  };
};

const givenOf = (flags: Flags, options: object): readonly string[] =>
  Object.keys(options).filter((option) => Reflect.get(flags, option) !== undefined);

/**
 * What the command line asks for.
 * @throws UsageFailure on a flag that does not exist and on a value that does not fit.
 */
export const parseFlags = (args: readonly string[]): Settings | 'help' => {
  const flags = parse(args);
  if (flags.help) return 'help';
  const common = {
    timeoutMs: timeoutOf('timeout', flags.timeout),
    logLevel: logLevelOf('log-level', flags['log-level']),
  };
  const [forVault] = givenOf(flags, vaultOptions);
  const [forNode] = givenOf(flags, nodeOptions);
  if (forVault === undefined) {
    const address = flags['metrics-addr'];
    const metricsAddress = address === undefined ? undefined : tcpAddressOf('metrics-addr', address);
    return { keys: nodeSettings(flags), metricsAddress, ...common };
  }
  if (forNode !== undefined) {
    const got = `--${forVault} is for a stand-in of a Vault plugin, --${forNode} for a plugin with a keystore`;
    throw new UsageFailure({ tried: 'use both', got, next: 'leave out the one or the other; see --help' });
  }
  const port = flags['metrics-port'];
  const metricsAddress = port === undefined ? undefined : portOf('metrics-port', port);
  return { keys: vaultSettings(flags), metricsAddress, ...common };
};
