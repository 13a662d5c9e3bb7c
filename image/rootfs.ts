import { createRequire } from 'node:module';
import { Failure } from '../common/failure.ts';
import { nonroot } from './image.ts';
import { libraryEntries, sharedLibraries } from './sharedLibraries.ts';
import type { TarEntry } from './tar.ts';

const text = (path: string, lines: readonly string[]): TarEntry => ({
  type: 'content',
  path,
  mode: 0o644,
  content: Buffer.from(`${lines.join('\n')}\n`),
});

/** Users, name resolution and a temporary folder: what a C library and Node expect of any root file system. */
const commonEntries: readonly TarEntry[] = [
  text('/etc/passwd', [
    'root:x:0:0:root:/root:/sbin/nologin',
    `nonroot:x:${nonroot.uid}:${nonroot.gid}:nonroot:/nonexistent:/sbin/nologin`,
  ]),
  text('/etc/group', ['root:x:0:', `nonroot:x:${nonroot.gid}:`]),
  text('/etc/nsswitch.conf', ['hosts: files dns']),
  { type: 'directory', path: '/tmp', mode: 0o1777 },
];

/** The root file system of one program: it, its shared libraries and the common files. `path` is its place in there. */
export const programEntries = async (hostPath: string, path: string): Promise<readonly TarEntry[]> => [
  ...commonEntries,
  { type: 'file', path, mode: 0o755, hostPath },
  ...libraryEntries(await sharedLibraries(hostPath)),
];

/**
 * The Node executable that package.json pins, out of the npm package that holds it.
 * @throws Failure where npm did not install it.
 */
export const pinnedNode = (): string => {
  const name = `node-linux-${process.arch}`;
  try {
    return createRequire(import.meta.url).resolve(`${name}/bin/node`);
  } catch (cause) {
    throw new Failure({
      tried: `find the Node executable of the npm package ${name}`,
      got: 'it is not installed',
      next: "run 'npm ci' without --omit=optional",
      cause,
    });
  }
};
