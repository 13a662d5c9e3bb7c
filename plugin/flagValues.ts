import { wrong } from '../common/flagValues.ts';
import { largestNumber } from './derivation.ts';

/** What the kernel takes as a unix socket's path (sun_path without its closing zero), bytes. */
const longestSocketPath = 107;

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
