import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { socketsInFile } from './socketSource.ts';

const endpoint = (number: number): string => `unix:///var/run/kmsplugin/kms-${number}.sock`;

it('follows its file, and stays with what it knew while that is none', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sockets-'));
  const path = join(dir, 'sockets');
  const reasons: string[] = [];
  const source = socketsInFile(path, (reason) => reasons.push(reason));
  const keys = async () => (await source.current())?.map(({ keyID }) => keyID);
  try {
    expect(await keys()).toBeUndefined();
    expect(await keys()).toBeUndefined();
    expect(reasons).toEqual([expect.stringContaining('ENOENT')]);
    await writeFile(path, `${endpoint(1)}\n${endpoint(2)}\n`);
    expect(await keys()).toEqual(['1', '2']);
    await writeFile(path, `${endpoint(2)}\n/tmp/other.sock\n`);
    expect(await keys()).toEqual(['1', '2']);
    await rm(path);
    expect(await keys()).toEqual(['1', '2']);
    expect(reasons).toHaveLength(2);
    await writeFile(path, '');
    expect(await keys()).toEqual([]);
  } finally {
    await rm(dir, { recursive: true });
  }
});
