import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exec } from '../../common/exec.ts';
import { hasCode } from '../../common/failure.ts';
import { waitFor } from '../../common/waitFor.ts';
import { type Fixture, greetersGroup, publishedAs, startFixture } from './toolchainFixture.ts';
import { sha256 } from './toolchainServer.ts';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

const isThere = (path: string): Promise<true | undefined> =>
  stat(path).then(
    () => true,
    () => undefined,
  );

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw error;
  }
};

/** A `go` first on PATH that notes each build, runs `before` and then the real one. */
const wrapGo = async (before = ''): Promise<Record<string, string>> => {
  const go = (await exec('sh', ['-c', 'command -v go || echo /usr/local/go/bin/go'])).trim();
  const note = `case "$1" in build) echo build >> ${fixture.folder}/builds; ${before};; esac`;
  const wrapper = await fixture.write('bin/go', `#!/bin/sh\n${note}\nexec ${go} "$@"\n`, 0o755);
  return { PATH: `${dirname(wrapper)}:${process.env.PATH}` };
};
const builds = async () => (await readFile(join(fixture.folder, 'builds'), 'utf8')).trim().split('\n').length;

test('all missing programs of a group are built at once, with a line for each; later runs build nothing', async () => {
  const env = await wrapGo();
  const first = await fixture.run({ env, names: ['hello', 'goodbye'] });
  expect(await exec(first.paths?.hello ?? '', [])).toBe('greeter 1.2.3\n');
  expect(await exec(first.paths?.goodbye ?? '', [])).toBe('greeter 1.2.3\n');
  expect(first.notes.toSorted()).toEqual([
    expect.stringMatching(/^built goodbye 1\.2\.3 \(\d+\.\d+s\)$/),
    expect.stringMatching(/^built hello 1\.2\.3 \(\d+\.\d+s\)$/),
  ]);
  expect(await fixture.leftovers()).toEqual([]);

  expect(await fixture.run({ env, names: ['goodbye'] })).toMatchObject({ notes: [], phases: [] });
  expect(await builds()).toBe(1);
});

test('a program on PATH is taken in the right version only', async () => {
  await fixture.write('bin/hello', '#!/bin/sh\necho greeter 1.2.2\n', 0o755);
  const right = await fixture.write('other/hello', '#!/bin/sh\necho greeter v1.2.3+x\n', 0o755);
  const older = `${join(fixture.folder, 'bin')}:${process.env.PATH}`;
  expect((await fixture.run({ env: { PATH: `${dirname(right)}:${older}` } })).paths).toEqual({ hello: right });
  expect((await fixture.run({ env: { PATH: older } })).paths?.hello).toContain(fixture.cache);
});

test('two runs at once: one builds, the other waits, says so and takes the result', async () => {
  const env = await wrapGo('sleep 1');
  const outcomes = await Promise.all([fixture.runApart({ env }), fixture.runApart({ env })]);
  expect(await builds()).toBe(1);
  expect(outcomes[0]?.paths?.hello).toBeDefined();
  expect(outcomes[0]?.paths).toEqual(outcomes[1]?.paths);
  const notes = outcomes.flatMap((outcome) => outcome.notes);
  expect(notes).toEqual(['another run is getting greeters 1.2.3: waiting for it']);
});

test('a run that is killed while it builds takes the build with it, and the next run removes what it left', async () => {
  const env = await wrapGo(`echo $$ > ${fixture.folder}/pid; exec sleep 60`);
  const child = fixture.startApart({ env });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const pidFile = join(fixture.folder, 'pid');
  await waitFor(() => isThere(pidFile), { what: 'the build begin', timeoutMs: 30_000, next: 'look at the test' });
  child.kill('SIGKILL');
  await ended;
  const pid = Number(await readFile(pidFile, 'utf8'));
  // It is a zombie until init has reaped it.
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
  expect(await fixture.leftovers()).not.toEqual([]);
  expect(await fixture.programs()).toEqual([]);

  const { paths } = await fixture.run({ env: await wrapGo() });
  expect(await exec(paths?.hello ?? '', [])).toBe('greeter 1.2.3\n');
  expect(await fixture.leftovers()).toEqual([]);
});

test('the second run, Node and all, takes less than half a second', async () => {
  await fixture.run();
  const times: number[] = [];
  for (let run = 0; run < 3; run++) {
    const began = performance.now();
    expect((await fixture.runApart()).paths?.hello).toBeDefined();
    times.push(performance.now() - began);
  }
  expect(Math.min(...times)).toBeLessThan(500);
});

describe('failures say what to do', () => {
  test('no Go and no download', async () => {
    const groups = [greetersGroup(publishedAs)];
    const { error } = await fixture.run({
      groups,
      env: { PATH: join(fixture.folder, 'empty') },
      goPlaces: [],
      mirror: 'http://127.0.0.1:1',
    });
    expect(error).toMatch(/could not get hello 1\.2\.3: .*download: 127\.0\.0\.1:1: .*; go build: no Go found/);
    expect(error).toContain('install Go 1.24 or newer');
    expect(error).toContain('UNDERSTUDY_DOWNLOAD_MIRROR');
  });

  test('source that does not compile: the words of the compiler', async () => {
    await fixture.write('modules/greeters/hello/main.go', 'package main\n\nfunc main() { missing() }\n');
    const { error } = await fixture.run();
    expect(error).toMatch(/could not build hello from source: .*\n.*undefined: missing/);
    expect(await fixture.leftovers()).toEqual([]);
  });

  test('one failure ends the builds of other groups', async () => {
    const env = await wrapGo('case "$*" in *goodbye*) exec sleep 60;; esac');
    await fixture.write('modules/greeters/hello/main.go', 'package main\n\nfunc main() { missing() }\n');
    const group = greetersGroup();
    const groups = [
      { ...group, name: 'fails', programs: group.programs.slice(0, 1) },
      { ...group, name: 'slow', programs: group.programs.slice(1) },
    ];
    const { error } = await fixture.run({ env, groups, names: ['hello', 'goodbye'] });
    expect(error).toContain('undefined: missing');
  }, 30_000);

  test('a cache that cannot be written to', async () => {
    await fixture.write('cache', 'a file where the folder should be');
    const { error } = await fixture.run();
    expect(error).toMatch(/could not keep hello 1\.2\.3 in .*next: .*UNDERSTUDY_CACHE/s);
  });

  describe.runIf(process.getuid?.() === 0)('a full disk', () => {
    /** Runs with the cache on a file system of its own, which goes away with the run. */
    const onSmallDisk = (run: Parameters<Fixture['runApart']>[0], size: string) => {
      const mount = `mkdir -p ${fixture.cache} && mount -t tmpfs -o size=${size} tmpfs ${fixture.cache} && exec "$@"`;
      return fixture.runApart(run, ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mount, 'sh']);
    };

    test('while building', async () => {
      const { error } = await onSmallDisk({}, '512k');
      expect(error).toMatch(/could not .*hello.*: no space left on device\n/);
      expect(error).toMatch(/cache has 0\.0 GB free of the 3\.0 GB .*UNDERSTUDY_CACHE/);
      expect(error).toMatch(/GOCACHE=….*GOMODCACHE=…/);
    });

    test('while downloading', async () => {
      const content = Buffer.alloc(2_000_000, 'x');
      fixture.server.put('/releases.example/v1.2.3/hello', content);
      fixture.server.put('/releases.example/v1.2.3/SHA256SUMS', `${sha256(content)}  hello\n`);
      const { error } = await onSmallDisk({ groups: [greetersGroup(publishedAs)] }, '512k');
      expect(error).toMatch(/could not get hello 1\.2\.3: no space left on device/);
    });
  });
});
