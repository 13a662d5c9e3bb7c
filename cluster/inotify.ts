import { readFile, writeFile } from 'node:fs/promises';
import { messageOf } from '../common/failure.ts';
import type { Progress } from '../common/progress.ts';

const setting = '/proc/sys/fs/inotify/max_user_instances';

/** Each kubelet, hollow ones too, takes two or three of a user's; many systems give a user 128. OpenShift's nodes have this. */
const enough = 8192;

/** Lets many kubelets run beside each other on this machine; says so where it has to change a setting of the kernel. */
export const ensureInotify = async (progress: Progress, path = setting): Promise<void> => {
  const current = Number(await readFile(path, 'utf8'));
  if (current >= enough) return;
  try {
    await writeFile(path, String(enough));
    progress.note(`raised fs.inotify.max_user_instances from ${current} to ${enough}, for many kubelets`);
  } catch (error) {
    progress.note(
      `fs.inotify.max_user_instances is ${current}, enough for ${Math.floor(current / 3)} kubelets: ${messageOf(error)}`,
    );
  }
};
