import { text } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { expect, test } from 'vitest';
import { type TarEntry, tarOf, withParents } from './tar.ts';

const file = (path: string, content = path): TarEntry => ({
  type: 'content',
  path,
  mode: 0o640,
  content: Buffer.from(content),
});
const tmp: TarEntry = { type: 'directory', path: '/tmp', mode: 0o1777 };

test('parents come before what is in them, once, and an own entry wins over a parent', () => {
  const entries = withParents([file('/usr/bin/node'), file('/tmp/a'), file('/usr/lib/x'), tmp]);
  expect(entries.map(({ path, mode }) => `${path} ${mode.toString(8)}`)).toEqual([
    '/tmp 1777',
    '/tmp/a 640',
    '/usr 755',
    '/usr/bin 755',
    '/usr/bin/node 640',
    '/usr/lib 755',
    '/usr/lib/x 640',
  ]);
});

test('the same entries in another order give the same bytes', async () => {
  const one = await tarOf([file('/b'), file('/a/c'), tmp]);
  expect(await tarOf([tmp, file('/a/c'), file('/b')])).toEqual(one);
  expect(await tarOf([tmp, file('/a/c'), file('/b', 'other')])).not.toEqual(one);
});

test('an archive reads back with names, modes, contents, and neither time nor owner', async () => {
  const reader = extract();
  reader.end(await tarOf([file('/app/main.mjs', 'hello'), tmp]));
  const seen: unknown[] = [];
  for await (const entry of reader) {
    const { name, mode, uid, gid, mtime } = entry.header;
    seen.push({ name, mode, uid, gid, time: mtime?.getTime(), content: await text(entry) });
  }
  const root = { uid: 0, gid: 0, time: 0 };
  expect(seen).toEqual([
    { name: 'app/', mode: 0o755, ...root, content: '' },
    { name: 'app/main.mjs', mode: 0o640, ...root, content: 'hello' },
    { name: 'tmp/', mode: 0o1777, ...root, content: '' },
  ]);
});

test('a file that is not there fails with its path', async () => {
  const entry: TarEntry = { type: 'file', path: '/a', mode: 0o644, hostPath: '/nowhere/at/all' };
  await expect(tarOf([entry])).rejects.toThrow('/nowhere/at/all');
});
