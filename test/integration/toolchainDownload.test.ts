import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exec } from '../../common/exec.ts';
import { waitFor } from '../../common/waitFor.ts';
import { type Fixture, greetersGroup, publishedAs, startFixture } from './toolchainFixture.ts';
import { sha256 } from './toolchainServer.ts';

const at = (file: string): string => `/releases.example/v1.2.3/${file}`;
const script = `#!/bin/sh\necho downloaded\n${'# filler\n'.repeat(20_000)}`;
const published = [greetersGroup(publishedAs)];

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

const publish = (content: Buffer | string, sum = sha256(content)): void => {
  fixture.server.put(at('hello'), content);
  fixture.server.put(at('SHA256SUMS'), `${sum}  hello\n`);
};

/** Waits until the client has kept some of the script after its first `start` bytes. */
const whenKept = (start: number): Promise<true> => {
  const part = join(fixture.cache, 'tmp', 'greeters', `${sha256(script)}.part`);
  return waitFor(async () => ((await stat(part)).size > start ? true : undefined), {
    what: `more than ${start} bytes in ${part}`,
    timeoutMs: 10_000,
    intervalMs: 5,
    next: 'look at the test',
  });
};

test('a program with the published checksum is kept, and the second run asks no server', async () => {
  publish(script);
  const first = await fixture.run({ groups: published });
  expect(await exec(first.paths?.hello ?? '', [])).toBe('downloaded\n');
  expect(first.phases).toEqual(['download hello 1.2.3']);
  expect(await fixture.leftovers()).toEqual([]);

  const asked = fixture.server.requests.length;
  expect(await fixture.run({ groups: published })).toMatchObject({ paths: first.paths, notes: [], phases: [] });
  expect(fixture.server.requests).toHaveLength(asked);
});

test('an archive is fetched once for all of its programs', async () => {
  const archive = pack();
  archive.entry({ name: 'release/hello', mode: 0o755 }, '#!/bin/sh\necho hello\n');
  archive.entry({ name: 'release/goodbye', mode: 0o644 }, '#!/bin/sh\necho goodbye\n');
  archive.finalize();
  const bytes = Buffer.concat(await archive.pipe(createGzip()).toArray());
  fixture.server.put(at('greeters.tar.gz'), bytes);
  fixture.server.put(at('SHA256SUMS'), `${sha256(bytes)}  greeters.tar.gz\n`);
  const groups = [greetersGroup(() => publishedAs('greeters.tar.gz'))];
  const { paths } = await fixture.run({ groups, names: ['goodbye', 'hello'] });
  expect(await exec(paths?.hello ?? '', [])).toBe('hello\n');
  expect(await exec(paths?.goodbye ?? '', [])).toBe('goodbye\n');
  expect(fixture.server.requests).toEqual([at('SHA256SUMS'), at('greeters.tar.gz')]);
});

test('a wrong checksum is an error, nothing is kept, and nothing is built in its place', async () => {
  publish(script, sha256('something else'));
  const outcome = await fixture.run({ groups: published });
  expect(outcome.error).toMatch(
    /could not download .*\/hello: its SHA-256 is [0-9a-f]{64}, but [0-9a-f]{64} was published/,
  );
  expect(outcome.phases).toEqual(['download hello 1.2.3']);
  expect(await fixture.leftovers()).toEqual([]);
  expect(await fixture.programs()).toEqual([]);
});

test('a download that is cut goes on where it was cut', async () => {
  publish(script);
  fixture.server.cut(at('hello'), 65_536, 2, whenKept);
  const { paths } = await fixture.run({ groups: published });
  expect(await readFile(paths?.hello ?? '', 'utf8')).toBe(script);
  const [, whole, ...resumed] = fixture.server.requests;
  expect(whole).toBe(at('hello'));
  expect(resumed).toHaveLength(2);
  for (const request of resumed) expect(request).toMatch(/hello from [1-9]\d*$/);
});

test('one that is cut again and again is an error that keeps its part, and the next run goes on with it', async () => {
  publish(script);
  fixture.server.cut(at('hello'), 16_384, 5, whenKept);
  const { error } = await fixture.run({ groups: published });
  expect(error).toMatch(/the connection was cut 5 times, the last time after \d+ bytes/);
  expect(await fixture.leftovers()).toEqual([`greeters/${sha256(script)}.part`]);

  const asked = fixture.server.requests.length;
  const { paths } = await fixture.run({ groups: published });
  expect(await readFile(paths?.hello ?? '', 'utf8')).toBe(script);
  expect(fixture.server.requests.slice(asked)).toEqual([at('SHA256SUMS'), expect.stringMatching(/from [1-9]\d*$/)]);
});

test('a spoilt part of an earlier run is thrown away', async () => {
  publish(script);
  await fixture.write(`cache/tmp/greeters/${sha256(script)}.part`, 'x'.repeat(1_000));
  const { paths } = await fixture.run({ groups: published });
  expect(await readFile(paths?.hello ?? '', 'utf8')).toBe(script);
});

test.each([
  ['is not published there', () => {}, /HTTP 404/],
  [
    'has no published checksum',
    () => fixture.server.put(at('SHA256SUMS'), '<html>sign in</html>'),
    /no SHA-256 of hello/,
  ],
])('what %s is built', async (_what, prepare, why) => {
  prepare();
  const { paths, notes } = await fixture.run({ groups: published });
  expect(await exec(paths?.hello ?? '', [])).toBe('greeter 1.2.3\n');
  expect(notes).toEqual([expect.stringMatching(why)]);
});

test('a host that does not answer is asked once for all programs, then they are built', async () => {
  fixture.server.hang();
  const second = { ...greetersGroup(publishedAs), name: 'more' };
  const groups = [
    { ...second, programs: second.programs.slice(0, 1) },
    { ...second, name: 'others', programs: second.programs.slice(1) },
  ];
  const { paths, notes } = await fixture.run({ groups, names: ['hello', 'goodbye'] });
  expect(await exec(paths?.goodbye ?? '', [])).toBe('greeter 1.2.3\n');
  expect(fixture.server.requests).toHaveLength(1);
  expect(notes).toEqual([expect.stringMatching(/no download, so building from source: .*no answer within 500 ms/)]);
});

test('a C program is compiled from its checked source', async () => {
  const source = '#include <stdio.h>\nint main(void) { puts(VERSION); return 0; }\n';
  fixture.server.put('/sources.example/pause.c', source);
  const build = {
    kind: 'c',
    module: 'greeters',
    goModule: 'greeters.invalid',
    file: 'pause.c',
    url: 'https://sources.example/pause.c',
    sha256: sha256(source),
    flags: ['-Os', '-static', '-DVERSION="7.8.9"'],
    packages: ['gcc', 'libc6-dev'],
  } as const;
  const groups = [{ name: 'pause', version: '7.8.9', programs: [{ name: 'pause' }], build }];
  const { paths } = await fixture.run({ groups, names: ['pause'] });
  expect(await exec(paths?.pause ?? '', [])).toBe('7.8.9\n');
});
