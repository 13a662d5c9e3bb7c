import { open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Turn, turns } from '../../common/apiServerPods.ts';
import { hasCode } from '../../common/failure.ts';
import { readFileIfThere, writeFileWhole } from '../../common/files.ts';

/** The manifests of both pods in the folder that the kubelet watches. It starts what it sees, ends what goes, and looks at no dot file. */
export interface ManifestFolder {
  /** Those that the kubelet sees. */
  shown(): Promise<readonly Turn[]>;
  /** Content of a manifest that is shown, else of the one that was hidden last; undefined where there was none. */
  read(turn: Turn): Promise<string | undefined>;
  /** Lets the kubelet see a manifest, whole or not at all. */
  show(turn: Turn, content: string): Promise<void>;
  /** Lets the kubelet see it no more; it is kept. Safe to repeat. */
  hide(turn: Turn): Promise<void>;
}

/** @param dir `/etc/kubernetes/manifests` */
export const manifestFolder = (dir: string): ManifestFolder => {
  const shownPath = (turn: Turn): string => join(dir, `${turn}.yaml`);
  const hiddenPath = (turn: Turn): string => join(dir, `.${turn}.yaml`);

  const move = async (from: string, to: string): Promise<void> => {
    await rename(from, to);
    const entry = await open(dir, 'r');
    await entry.sync().finally(() => entry.close());
  };

  return {
    shown: async () => {
      const names = new Set(await readdir(dir));
      return turns.filter((turn) => names.has(`${turn}.yaml`));
    },
    read: async (turn) => (await readFileIfThere(shownPath(turn))) ?? readFileIfThere(hiddenPath(turn)),
    show: async (turn, content) => {
      await writeFileWhole(hiddenPath(turn), content);
      await move(hiddenPath(turn), shownPath(turn));
    },
    hide: async (turn) => {
      try {
        await move(shownPath(turn), hiddenPath(turn));
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    },
  };
};
