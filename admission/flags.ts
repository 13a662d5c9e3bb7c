import { admissionServerName, type UidMode, uidModes } from '../common/admissionWebhook.ts';
import { parseDuration } from '../common/duration.ts';
import { UsageFailure } from '../common/failure.ts';
import { type LogLevel, logLevelOf, logLevels, type TcpAddress, tcpAddressOf, wrong } from '../common/flagValues.ts';
import { parseGoFlags } from '../common/goFlags.ts';

export interface Settings {
  readonly uids: UidMode;
  readonly placement: boolean;
  readonly address: TcpAddress;
  /** Where metrics and health are served; nowhere if undefined. */
  readonly metricsAddress: TcpAddress | undefined;
  /** DNS names and IP addresses of the serving certificate. */
  readonly names: readonly string[];
  /** Life of a serving certificate, milliseconds. */
  readonly certificateLifeMs: number;
  readonly logLevel: LogLevel;
}

export const usage = `Gives pods their UID, and places them, when they are created. Flags, with one dash or two, '--flag value' or '--flag=value':

  --uids               ${uidModes.join(', ')}: whether pods that must not be root get a UID, and which (off)
  --placement          place pods and DaemonSets, where the API server has no MutatingAdmissionPolicy
  --listen-addr        host:port of the webhooks (:8443)
  --metrics-addr       host:port for /metrics, /healthz and /readyz; off where not given
  --serving-names      names and addresses of the certificate, with commas between (${admissionServerName})
  --certificate-life   of a certificate, as a Go duration; renewed after two thirds of it (720h)
  --log-level          ${logLevels.join(', ')} (info)
  --help               this text

The API server is that of the variable KUBECONFIG, else the pod's.
`;

const text = { type: 'string' } as const;

const shortestLife = 5_000;
const longestLife = 10 * 365 * 24 * 3_600_000;

const lifeOf = (value: string): number => {
  const ms = parseDuration(value);
  if (ms === undefined || ms < shortestLife || ms > longestLife) {
    throw wrong('certificate-life', value, 'it is not a duration between 5s and ten years', 'give one such as 720h');
  }
  return ms;
};

const modeOf = (value: string): UidMode => {
  const mode = uidModes.find((one) => one === value);
  if (mode === undefined) throw wrong('uids', value, 'there is no such mode', `give ${uidModes.join(' or ')}`);
  return mode;
};

const namesOf = (value: string): readonly string[] => {
  const names = value.split(',');
  if (names.every((name) => /^[a-zA-Z0-9.:-]+$/.test(name))) return [...new Set(names)];
  throw wrong('serving-names', value, 'one of them is no name', `give names such as ${admissionServerName}`);
};

/**
 * What the command line asks for.
 * @throws UsageFailure on a flag that does not exist, on a value that does not fit, and where there is nothing to do
 */
export const parseFlags = (args: readonly string[]): Settings | 'help' => {
  const flags = parseGoFlags(args, {
    uids: { type: 'string', default: 'off' },
    placement: { type: 'boolean', default: false },
    'listen-addr': { type: 'string', default: ':8443' },
    'metrics-addr': text,
    'serving-names': { type: 'string', default: admissionServerName },
    'certificate-life': { type: 'string', default: '720h' },
    'log-level': { type: 'string', default: 'info' },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) return 'help';
  const uids = modeOf(flags.uids);
  if (uids === 'off' && !flags.placement) {
    const next = 'give --uids=openshift, --uids=random, --placement, or two of them';
    throw new UsageFailure({ tried: 'start', got: 'neither UIDs nor placement is asked for', next });
  }
  const metrics = flags['metrics-addr'];
  return {
    uids,
    placement: flags.placement,
    address: tcpAddressOf('listen-addr', flags['listen-addr']),
    metricsAddress: metrics === undefined ? undefined : tcpAddressOf('metrics-addr', metrics),
    names: namesOf(flags['serving-names']),
    certificateLifeMs: lifeOf(flags['certificate-life']),
    logLevel: logLevelOf('log-level', flags['log-level']),
  };
};
