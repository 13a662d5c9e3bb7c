import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleService } from './bundle.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-bundle-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const service = async (name: string, files: Record<string, string>): Promise<string> => {
  await mkdir(join(folder, name), { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(join(folder, name, file), content);
  return join(folder, name, 'main.ts');
};

test('the same sources in another folder give the same bytes', async () => {
  const files = { 'main.ts': "import { n } from './n.ts';\nconsole.log(n as number);", 'n.ts': 'export const n = 1;' };
  const one = await bundleService(await service('one', files));
  expect(Buffer.from(one).toString()).toContain('var n = 1;');
  expect(await bundleService(await service('two', files))).toEqual(one);
});

test('an error in a source is told with file, line and column', async () => {
  const entryPoint = await service('broken', { 'main.ts': 'const a = 1;\nconst = 2;\n' });
  await expect(bundleService(entryPoint)).rejects.toThrow(
    /could not bundle .*main\.ts: .*Expected identifier but found "="\n\n {4}main\.ts:2:6:/,
  );
});

test('a missing entry point or import is told by its name', async () => {
  await expect(bundleService(join(folder, 'none.ts'))).rejects.toThrow(
    /could not bundle .*Could not resolve .*none\.ts/,
  );
  const entryPoint = await service('lonely', { 'main.ts': "import './absent.ts';" });
  await expect(bundleService(entryPoint)).rejects.toThrow('Could not resolve "./absent.ts"');
});
