import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';

/** One file or directory of a tar archive. `path` is absolute inside the image; owner is root and time is 1970. */
export type TarEntry =
  | { readonly type: 'directory'; readonly path: string; readonly mode: number }
  | { readonly type: 'content'; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly type: 'file'; readonly path: string; readonly mode: number; readonly hostPath: string };

const parentsOf = (path: string): readonly string[] => {
  const parent = posix.dirname(path);
  return parent === '/' ? [] : [...parentsOf(parent), parent];
};

/** The entries in order of their paths, with the directories (0755) that lead to them where they are not among them. */
export const withParents = (entries: readonly TarEntry[]): readonly TarEntry[] => {
  const byPath = new Map<string, TarEntry>();
  for (const path of entries.flatMap((entry) => parentsOf(entry.path))) {
    byPath.set(path, { type: 'directory', path, mode: 0o755 });
  }
  for (const entry of entries) byPath.set(entry.path, entry);
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
};

const viewOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A tar archive whose bytes depend on nothing but the entries: names, modes and contents. */
export const tarOf = async (entries: readonly TarEntry[]): Promise<Buffer> => {
  const archive = pack();
  const unchanging = { uid: 0, gid: 0, mtime: new Date(0) };
  for (const entry of withParents(entries)) {
    const header = { ...unchanging, name: entry.path.slice(1), mode: entry.mode };
    if (entry.type === 'directory') archive.entry({ ...header, name: `${header.name}/`, type: 'directory' });
    else archive.entry(header, entry.type === 'file' ? await readFile(entry.hostPath) : viewOf(entry.content));
  }
  archive.finalize();
  return Buffer.concat(await Readable.from(archive).toArray());
};
