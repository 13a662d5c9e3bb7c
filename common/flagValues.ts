import { isIP } from 'node:net';
import { parseDuration } from './duration.ts';
import { UsageFailure } from './failure.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof logLevels)[number];

export interface TcpAddress {
  /** Undefined for all addresses of the machine. */
  readonly host: string | undefined;
  readonly port: number;
}

/** The longest that Node's timers wait, milliseconds. */
const longestTimeout = 0x7fffffff;

export const wrong = (flag: string, value: string, got: string, next: string): UsageFailure =>
  new UsageFailure({ tried: `use --${flag} '${value}'`, got, next });

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
