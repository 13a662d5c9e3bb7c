import { createReadStream, createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';

export const isArchive = (file: string): boolean => /\.(tar\.gz|tgz)$/.test(file);

/**
 * Writes the regular files of these names, from any folder of a gzipped tar archive, flat into `folder`.
 * @returns the names that the archive has.
 */
export const unpack = async (
  archive: string,
  names: readonly string[],
  folder: string,
): Promise<ReadonlySet<string>> => {
  const entries = extract();
  const found = new Set<string>();
  const reading = pipeline(createReadStream(archive), createGunzip(), entries);
  const writing = (async () => {
    for await (const entry of entries) {
      const name = basename(entry.header.name);
      const wanted = entry.header.type === 'file' && names.includes(name);
      if (wanted) found.add(name);
      const into = wanted ? createWriteStream(join(folder, name)) : new Writable({ write: (_c, _e, done) => done() });
      await pipeline(entry, into);
    }
  })();
  await Promise.all([reading, writing]);
  return found;
};
