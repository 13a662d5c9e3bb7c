import { readFileIfThere, writeFileWhole } from '../../common/files.ts';
import type { KmsBackendSpec } from '../kmsBackend.ts';
import { makeWish, parseWish, renderWish, type Wish } from './wish.ts';

/** What the plugin of this node is told, by a file: also while no secret can be read. */
export interface WishFile {
  /** What it says now. */
  readonly wish: Wish;
  /** Says which keys there are to be; the file says so when it resolves. */
  wantKeys(keyNumbers: Iterable<number>): Promise<void>;
  /** Says which versions and faults there are to be; the file says so when it resolves. */
  hearBackend(backend: KmsBackendSpec): Promise<void>;
}

/** Goes on from the file that is there, if any. @param changed called after each change of the file. */
export const openWishFile = async (path: string, node: string, changed: () => void): Promise<WishFile> => {
  const content = await readFileIfThere(path);
  let written = content;
  let wish = parseWish(content);
  let keyNumbers: Iterable<number> = wish.keys.map(({ number }) => number);
  let backend: KmsBackendSpec | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    const next = makeWish(node, keyNumbers, backend, wish);
    const rendered = renderWish(next);
    if (rendered === written) return;
    await writeFileWhole(path, rendered);
    written = rendered;
    wish = next;
    changed();
  };
  /** One after the other; each writes what is wanted by then. */
  const queue = (): Promise<void> => {
    writing = writing.catch(() => {}).then(write);
    return writing;
  };
  return {
    get wish() {
      return wish;
    },
    wantKeys: (numbers) => {
      keyNumbers = [...numbers];
      return queue();
    },
    hearBackend: (spec) => {
      backend = spec;
      return queue();
    },
  };
};
