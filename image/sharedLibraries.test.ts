import { expect, test } from 'vitest';
import { libraryEntries, parseLdd, sharedLibraries } from './sharedLibraries.ts';

const placed = (output: string): readonly string[] =>
  libraryEntries(parseLdd(output).found).map((entry) =>
    entry.type === 'file' ? `${entry.hostPath} -> ${entry.path}` : entry.path,
  );

test('x64: loader at its own path, libraries at theirs, no vDSO', () => {
  const output = `\tlinux-vdso.so.1 (0x00007fc5aba80000)
\tlibstdc++.so.6 => /lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007fc5ab800000)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fc5ab53e000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007fc5aba82000)
`;
  expect(placed(output)).toEqual([
    '/lib/x86_64-linux-gnu/libstdc++.so.6 -> /lib/x86_64-linux-gnu/libstdc++.so.6',
    '/lib/x86_64-linux-gnu/libc.so.6 -> /lib/x86_64-linux-gnu/libc.so.6',
    '/lib64/ld-linux-x86-64.so.2 -> /lib64/ld-linux-x86-64.so.2',
  ]);
});

test('a library outside of the default folders goes next to libc, a relocated loader to the path that is asked for', () => {
  const output = `\tlibstdc++.so.6 => /opt/my gcc/lib64/libstdc++.so.6 (0x00007fc5ab800000)
\tlibc.so.6 => /lib64/libc.so.6 (0x00007fc5ab53e000)
\t/lib/ld-linux-aarch64.so.1 => /usr/lib/ld-linux-aarch64.so.1 (0x00007fc5aba82000)
`;
  expect(placed(output)).toEqual([
    '/opt/my gcc/lib64/libstdc++.so.6 -> /lib64/libstdc++.so.6',
    '/lib64/libc.so.6 -> /lib64/libc.so.6',
    '/usr/lib/ld-linux-aarch64.so.1 -> /lib/ld-linux-aarch64.so.1',
  ]);
});

test('addresses do not matter, missing libraries are named, a static program has none', () => {
  const line = (address: string): string =>
    `\tlibm.so.6 => /lib/libm.so.6 (0x${address})\n\tlibatomic.so.1 => not found\n`;
  expect(parseLdd(line('01'))).toEqual(parseLdd(line('ff')));
  expect(parseLdd(line('01')).missing).toEqual(['libatomic.so.1']);
  expect(parseLdd('\tnot a dynamic executable\n')).toEqual({ found: [], missing: [] });
  expect(parseLdd('\tstatically linked\n')).toEqual({ found: [], missing: [] });
});

test('a file that is no executable, or is not there, is refused', async () => {
  await expect(sharedLibraries(import.meta.filename)).rejects.toThrow('it is not an ELF executable');
  await expect(sharedLibraries('/nowhere/pause')).rejects.toThrow(/could not find.*\/nowhere\/pause: ENOENT/);
});
