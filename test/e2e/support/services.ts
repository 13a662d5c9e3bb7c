import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box } from './boxes.ts';

/** What a pod of the node sees of one of its services: the two files in a mounted `supervise` folder, and no more. */
export interface Service {
  /** Of its process, as the box numbers it; undefined where it is down. */
  pid(): Promise<number | undefined>;
  /** Asks its supervisor: `u` to start it and keep it running, `d` to end it and leave it so. */
  ask(command: 'u' | 'd'): Promise<void>;
}

/** Where s6 keeps the process id in `supervise/status`: eight bytes, big endian, 0 while there is none. */
const pidOffset = 24;

export const serviceOf = async (box: Box, name: string): Promise<Service> => {
  const folder = join('/proc', String(await box.pid()), 'root/run/services', name, 'supervise');
  return {
    pid: async () => Number((await readFile(join(folder, 'status'))).readBigUInt64BE(pidOffset)) || undefined,
    ask: async (command) => {
      const control = await open(join(folder, 'control'), constants.O_WRONLY | constants.O_NONBLOCK);
      await control.write(command).finally(() => control.close());
    },
  };
};
