import { open } from 'node:fs/promises';
import { posix } from 'node:path';
import { tryExec } from '../common/exec.ts';
import { Failure, messageOf } from '../common/failure.ts';
import type { TarEntry } from './tar.ts';

/** A file that the dynamic loader maps for a program. */
export interface SharedLibrary {
  /** How the program asks for it: a soname, or the loader's absolute path. */
  readonly name: string;
  readonly hostPath: string;
}

/** What ldd printed, taken apart; addresses, which change with each run, are left out. */
export const parseLdd = (
  output: string,
): { readonly found: readonly SharedLibrary[]; readonly missing: readonly string[] } => {
  const found: SharedLibrary[] = [];
  const missing: string[] = [];
  for (const line of output.split('\n')) {
    const library = /^\s*(?:(\S+) => )?(\/.+) \(0x[0-9a-f]+\)$/.exec(line);
    const absent = /^\s*(\S+) => not found/.exec(line)?.[1];
    if (library?.[2] !== undefined) found.push({ name: library[1] ?? library[2], hostPath: library[2] });
    else if (absent !== undefined) missing.push(absent);
  }
  return { found, missing };
};

/**
 * Where each library goes in an image. The loader goes to the path that is written in the program; all else goes next
 * to libc, which is the one folder that the loader surely searches without the host's ld.so.cache.
 */
export const libraryEntries = (libraries: readonly SharedLibrary[]): readonly TarEntry[] => {
  const libc = libraries.find(({ name }) => name.startsWith('libc.so'));
  return libraries.map(({ name, hostPath }) => ({
    type: 'file',
    path: name.startsWith('/') ? name : posix.join(posix.dirname((libc ?? { hostPath }).hostPath), name),
    mode: 0o755,
    hostPath,
  }));
};

const firstBytes = async (path: string): Promise<string> => {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
};

/**
 * The loader and shared libraries that a program needs, as this machine's loader finds them; none for a static one.
 * @throws Failure where the program is no ELF executable or a library is missing.
 */
export const sharedLibraries = async (program: string): Promise<readonly SharedLibrary[]> => {
  const tried = `find the shared libraries of ${program}`;
  const failing = (next: string) => (cause: unknown) => {
    throw new Failure({ tried, got: messageOf(cause), next, cause });
  };
  const magic = await firstBytes(program).catch(failing('check that the file exists and is readable'));
  if (magic !== '\x7fELF') {
    throw new Failure({ tried, got: 'it is not an ELF executable', next: 'give the path of a Linux program' });
  }
  // A static program makes ldd exit with 1, so its exit code says nothing.
  const options = { env: { ...process.env, LC_ALL: 'C' } };
  const { stdout } = await tryExec('ldd', [program], options).catch(failing('apt-get install libc-bin'));
  const { found, missing } = parseLdd(stdout);
  if (missing.length > 0) {
    throw new Failure({
      tried,
      got: `${missing.join(', ')} not found on this machine`,
      next: "install the package that holds them ('apt-get install libstdc++6 libatomic1' has what Node needs)",
    });
  }
  return found;
};
