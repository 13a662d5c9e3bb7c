import { stat } from 'node:fs/promises';
import { waitFor } from '../common/waitFor.ts';
import type { BuiltImage } from '../image/build.ts';
import { importImage } from '../image/load.ts';

/** The socket of a box's containerd as this machine sees it. */
const containerdSocket = (boxPid: number): string => `/proc/${boxPid}/root/run/containerd/containerd.sock`;

/** Makes an image usable in a box; waits for its containerd, which starts with the box. */
export const importIntoBox = async (ctr: string, boxPid: number, image: BuiltImage): Promise<void> => {
  const address = containerdSocket(boxPid);
  await waitFor(async () => ((await stat(address)).isSocket() ? true : undefined), {
    what: `containerd's socket ${address}`,
    timeoutMs: 30_000,
    intervalMs: 20,
    next: "see 'understudy logs containerd'",
  });
  await importImage({ ctr, address }, image);
};
