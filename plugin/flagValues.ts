import { isIP } from 'node:net';
import { UsageFailure } from '../common/failure.ts';
import { largestNumber } from './derivation.ts';
import { parseDuration } from './duration.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof logLevels)[number];

export interface TcpAddress {
  /** Undefined for all addresses of the machine. */
  readonly host: string | undefined;
  readonly port: number;
}

/** What the kernel takes as a unix socket's path (sun_path without its closing zero), bytes. */
const longestSocketPath = 107;

/** The longest that Node's timers wait, milliseconds. */
const longestTimeout = 0x7fffffff;

export const wrong = (flag: string, value: string, got: string, next: string): UsageFailure =>
  new UsageFailure({ tried: `use --${flag} '${value}'`, got, next });

/** Absolute path of a socket from its address, `unix:///…`. */
export const socketPathOf = (flag: string, value: string): string => {
  const path = /^unix:\/\/(\/[^?#]*[^/?#])$/.exec(value)?.[1];
  if (path === undefined) {
    const next = 'give an absolute path, such as unix:///var/run/kmsplugin/socket.sock';
    throw wrong(flag, value, 'it is not the address of a unix socket', next);
  }
  const length = Buffer.byteLength(path);
  if (length > longestSocketPath) {
    const got = `its path has ${length} bytes, a unix socket's can have ${longestSocketPath}`;
    throw wrong(flag, value, got, 'give a shorter path');
  }
  return path;
};

export const directoryOf = (flag: string, value: string): string => {
  if (!value.startsWith('/')) throw wrong(flag, value, 'it is not absolute', 'give an absolute path');
  return value;
};

/** The socket of a key in the folder of all keys, as OpenShift names it. */
export const keySocketPath = (socketDir: string, number: number): string => `${socketDir}/kms-${number}.sock`;

export const socketDirOf = (flag: string, value: string): string => {
  const directory = directoryOf(flag, value).replace(/\/+$/, '');
  const length = Buffer.byteLength(keySocketPath(directory, largestNumber));
  if (length > longestSocketPath) {
    const got = `paths of sockets in it would have up to ${length} bytes, they can have ${longestSocketPath}`;
    throw wrong(flag, value, got, 'give a shorter path');
  }
  return directory;
};

/** Milliseconds. */
export const timeoutOf = (flag: string, value: string): number => {
  const ms = parseDuration(value);
  if (ms === undefined || ms < 1 || ms > longestTimeout) {
    const got = 'it is not a duration between 1ms and 24 days';
    throw wrong(flag, value, got, 'give a duration such as 5s or 500ms');
  }
  return ms;
};

export const tcpAddressOf = (flag: string, value: string): TcpAddress => {
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (digits === '' || port > 65_535 || (bracketed !== undefined && isIP(host) !== 6)) {
    throw wrong(flag, value, 'it is not host:port', 'give an address such as 127.0.0.1:8080 or :8080');
  }
  return { host: host === '' ? undefined : host, port };
};

/** A port of all addresses; undefined for 0, which is to serve nothing. */
export const portOf = (flag: string, value: string): TcpAddress | undefined => {
  const port = Number(value);
  if (!/^\d{1,5}$/.test(value) || port > 65_535) {
    throw wrong(flag, value, 'it is not a port', 'give a number up to 65535, 0 for none');
  }
  return port === 0 ? undefined : { host: undefined, port };
};

export const logLevelOf = (flag: string, value: string): LogLevel => {
  const level = logLevels.find((name) => name === value);
  if (level === undefined) throw wrong(flag, value, 'there is no such level', `give ${logLevels.join(', ')}`);
  return level;
};
