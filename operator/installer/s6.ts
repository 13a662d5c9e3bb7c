import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, messageOf } from '../../common/failure.ts';

/** How s6-supervise sees its service. */
export interface ServiceState {
  /** undefined while it is down. */
  readonly pid: number | undefined;
  /** When it came up or went down last; milliseconds since 1970. */
  readonly since: number;
  /** Whether it is started again where it ends. */
  readonly wantedUp: boolean;
  /** How the last process ended: 'exit code 1', 'signal 9'. */
  readonly lastEnd: string;
}

/** A TAI64N label counts from 2^62, and TAI has been 37 seconds ahead of UTC since 2017. */
const taiOffset = 2n ** 62n + 37n;

const stampAt = (status: Buffer, at: number): number =>
  Number(status.readBigUInt64BE(at) - taiOffset) * 1000 + status.readUInt32BE(at + 8) / 1e6;

const endOf = (waitStatus: number): string => {
  const signal = waitStatus & 0x7f;
  return signal === 0 ? `exit code ${waitStatus >> 8}` : `signal ${signal}`;
};

/** The shortest that s6 writes (2.11); later versions have a process group between the pid and the rest. */
const shortest = 35;
const wantedUpFlag = 4;

/**
 * Reads `supervise/status`: two stamps of 12 bytes, pid, wait status in the two bytes before the last, flags in the last.
 * @see s6's src/libs6/s6_svstatus_unpack.c
 */
export const parseServiceState = (status: Buffer): ServiceState => {
  if (status.length < shortest) throw new RangeError(`${status.length} bytes are no status of s6-supervise`);
  const pid = Number(status.readBigUInt64BE(24));
  return {
    pid: pid === 0 ? undefined : pid,
    since: stampAt(status, 0),
    wantedUp: (status.readUInt8(status.length - 1) & wantedUpFlag) !== 0,
    lastEnd: endOf(status.readUInt16BE(status.length - 3)),
  };
};

/** @param superviseDir `/run/services/<service>/supervise` */
export const readServiceState = async (superviseDir: string): Promise<ServiceState> =>
  parseServiceState(await readFile(join(superviseDir, 'status')));

/** What s6-supervise can be told, as bytes of its `control`; several take effect one after the other. */
export const serviceCommands = {
  /** Starts it, and again where it ends. */
  up: 'u',
  /** Kills it, and does not start it again. Without SIGTERM: an API server that is asked to end takes its address off the cluster. */
  endForGood: 'Ok',
  /** Kills it; it is started again if that is wanted. */
  kill: 'k',
} as const;

/** @throws Failure where no s6-supervise listens. */
export const tellService = async (superviseDir: string, command: keyof typeof serviceCommands): Promise<void> => {
  const path = join(superviseDir, 'control');
  try {
    // Without O_NONBLOCK this would wait for a reader.
    const control = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
    await control.write(serviceCommands[command]).finally(() => control.close());
  } catch (cause) {
    const next = "see whether the node's supervisor runs";
    throw new Failure({ tried: `tell the supervisor by ${path}`, got: messageOf(cause), next, cause });
  }
};
