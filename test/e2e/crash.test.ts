import { existsSync } from 'node:fs';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClusterMarks,
  endHome,
  entry,
  type Finished,
  type Home,
  makeHome,
  marksOf,
  pinnedNode,
  startCommand,
} from './support/home.ts';
import { remainsOf } from './support/remains.ts';

let home: Home;

beforeAll(async () => {
  home = await makeHome();
});

afterAll(() => endHome(home));

type Victim = 'process' | 'group';

/** Runs `up` until it says something, and kills it then. */
const killUp = async (stack: string, when: RegExp, victim: Victim): Promise<void> => {
  const up = home.start('up', stack);
  await up.says(when);
  process.kill(victim === 'group' ? -up.pid : up.pid, 'SIGKILL');
  expect((await up.finished).code).toBe(137);
};

const succeeds = async (...args: readonly string[]): Promise<Finished> => {
  const finished = await home.run(...args);
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
  return finished;
};

/** A failure in both of its forms: text for people, and one JSON document. */
const failsWith = async (code: 1 | 2, words: RegExp, ...args: readonly string[]): Promise<void> => {
  const finished = await home.run(...args, '--json');
  expect(finished.code, finished.stderr).toBe(code);
  expect(finished.stderr).toMatch(words);
  const { error } = JSON.parse(finished.stdout);
  expect(finished.stderr).toContain(`could not ${error.tried}: ${error.got}\n  next: ${error.next}`);
};

const cutShort = async (path: string): Promise<void> => {
  await truncate(path, Math.floor((await readFile(path)).length / 2));
};

describe('asked wrongly', () => {
  const wrong = (config: string): Promise<void> => writeFile(join(home.stacksDir, 'Pulumi.wrong.yaml'), config);

  it.each(['up', 'down', 'status', 'verify', 'preview'])(
    '%s of an unknown stack names those that exist',
    async (command) => {
      await home.writeStack('known');
      await failsWith(2, /find stack 'missing'.*it has: known/s, command, 'missing');
    },
  );

  it('an unknown command or option names what exists', async () => {
    await failsWith(2, /unknown command 'upp'.*next: .*up, down, preview/s, 'upp');
    await failsWith(2, /unknown option '--force'/, 'up', '--force');
  });

  it('an unknown setting names all settings; a wrong type, value or document says which', async () => {
    await wrong('config:\n  understudy:platform: local\n  understudy:worker: 1\n');
    await failsWith(
      2,
      /no setting understudy:worker \(there are: platform, controlPlanes, workers, egress, encryption, openshift, healthInterval, hollowNodes, placement, uids, kind, cloud, registryCredentials\)/,
      'up',
      'wrong',
    );
    await wrong('config:\n  understudy:platform: local\n  understudy:workers: many\n');
    await failsWith(2, /understudy:workers: /, 'up', 'wrong');
    await wrong('config:\n  understudy:platform: local\n  understudy:controlPlanes: 2\n');
    await failsWith(2, /understudy:controlPlanes: /, 'up', 'wrong');
    await wrong('config:\n  understudy:platform: local\n  understudy:encryption: kms\n');
    await failsWith(2, /understudy:encryption: .*KMS.*aescbc/s, 'up', 'wrong');
    await wrong('config: [\n');
    await failsWith(2, /read the settings in .*Pulumi\.wrong\.yaml/, 'up', 'wrong');
    expect(existsSync(home.clusterDir('wrong'))).toBe(false);
  });

  it('without root, up and down say what to type', async () => {
    await home.writeStack('known');
    for (const command of ['up', 'down']) {
      // In a user namespace of its own a process is nobody, and may read what root may.
      const run = ['unshare', '--user', pinnedNode, entry, command, 'known', '--json'];
      const { code, stdout, stderr } = await startCommand(run, home.env).finished;
      expect(code, stderr).toBe(1);
      expect(JSON.parse(stdout).error.next).toMatch(new RegExp(`^type: sudo .* ${command} known`));
    }
  });
});

it('goes on to its end where the reader of its output leaves', async () => {
  await home.writeStack('known');
  const script = `'${pinnedNode}' '${entry}' preview known 2>&1 | head -n 1; echo "preview ended with \${PIPESTATUS[0]}"`;
  const { stdout } = await startCommand(['timeout', '30', 'bash', '-c', script], home.env).finished;
  expect(stdout).toContain('preview ended with 0');
});

describe('up killed with -9', () => {
  it.each<[string, RegExp, Victim]>([
    ['while programs and images are gathered', /image understudy\.local\/pause/, 'process'],
    ['when the box has started', /✓ box /, 'group'],
    ['when the image is loaded', /✓ image understudy\.local\/kms-plugin/, 'process'],
  ])('%s: down leaves nothing', async (_, when, victim) => {
    const stack = `gone-${victim}`;
    await home.writeStack(stack);
    await killUp(stack, when, victim);
    const marks = await marksOf(home, stack);
    await succeeds('down', stack);
    expect(await remainsOf(home, stack, marks)).toEqual([]);
    // Nor does anything that the killed command left behind make the cluster anew.
    await sleep(2_000);
    expect(await remainsOf(home, stack, marks)).toEqual([]);
  });

  it('three times at later and later phases: the next up goes on, and the last one ends well', async () => {
    const stack = 'again';
    await home.writeStack(stack);
    await killUp(stack, /✓ kube-apiserver alive/, 'group');
    await killUp(stack, /created DaemonSet/, 'group');
    // An engine whose command alone was killed goes on for a while: only the last step is sure to be still to come.
    await killUp(stack, /created Command encryption-type/, 'process');
    await succeeds('up', stack);
    await succeeds('status', stack);
    await succeeds('verify', stack);
    const { stdout } = await succeeds('up', stack, '--json');
    expect(JSON.parse(stdout).changes).toBe(0);
  });
});

describe('files cut short', () => {
  const stack = 'again';
  let marks: ClusterMarks;

  beforeAll(async () => {
    marks = await marksOf(home, stack);
  });

  it('access.json: up makes it anew', async () => {
    await cutShort(join(home.clusterDir(stack), 'access.json'));
    await succeeds('up', stack);
    await succeeds('verify', stack);
  });

  it("the engine's state: up says what to do, down does it and leaves nothing", async () => {
    await cutShort(home.statePath(stack));
    await failsWith(
      1,
      /state of stack again: .*next: run 'understudy down again'.*then 'understudy up again'/s,
      'up',
      stack,
    );
    await succeeds('verify', stack);
    await succeeds('down', stack);
    expect(await remainsOf(home, stack, marks)).toEqual([]);
  });
});

describe('two at once', () => {
  const stack = 'twice';
  let marks: ClusterMarks;

  it('two up make one cluster', async () => {
    await home.writeStack(stack);
    const both = await Promise.all([home.run('up', stack, '--json'), home.run('up', stack, '--json')]);
    for (const { code, stderr } of both) expect(code, stderr).toBe(0);
    const changes = both.map(({ stdout }) => JSON.parse(stdout).changes as number).sort((a, b) => a - b);
    expect(changes[0]).toBe(0);
    expect(changes[1]).toBeGreaterThan(15);
    expect(both.filter(({ stderr }) => stderr.includes(`another command works on stack ${stack}`))).toHaveLength(1);
    await succeeds('verify', stack);
    marks = await marksOf(home, stack);
  });

  it('cluster.json cut short: up and status say what to do, down leaves nothing', async () => {
    await cutShort(join(home.clusterDir(stack), 'cluster.json'));
    for (const command of ['up', 'status']) {
      await failsWith(1, /cluster\.json: it is cut short.*next: .*understudy down.*understudy up/s, command, stack);
    }
    await succeeds('down', stack);
    expect(await remainsOf(home, stack, marks)).toEqual([]);
  });

  it('two down of nothing end well', async () => {
    for (const { code, stderr } of await Promise.all([home.run('down', stack), home.run('down', stack)])) {
      expect(code, stderr).toBe(0);
    }
  });
});

describe('places that cannot be used', () => {
  it('a file where the cluster directory belongs', async () => {
    const stack = 'occupied';
    await home.writeStack(stack);
    await mkdir(join(home.dir, 'clusters'), { recursive: true });
    await writeFile(home.clusterDir(stack), 'not a folder');
    await failsWith(1, /clusters\/occupied/, 'up', stack);
    await succeeds('down', stack);
  });

  it('a full disk', async () => {
    const stack = 'full';
    await home.writeStack(stack);
    const marks = await marksOf(home, stack);
    await mkdir(home.dir, { recursive: true });
    const understudy = `'${pinnedNode}' '${entry}'`;
    const script = [
      'mount -t tmpfs -o size=4m tmpfs "$UNDERSTUDY_HOME"',
      `${understudy} up ${stack}; echo "up ended with $?"`,
      `${understudy} down ${stack}; echo "down ended with $?"`,
    ].join('\n');
    const { stdout, stderr } = await startCommand(['unshare', '--mount', 'bash', '-c', script], home.env).finished;
    expect(stdout, stderr).toMatch(/up ended with 1\n(.*\n)*down ended with 0/);
    expect(stderr).toMatch(/that disk has 4 MB free of the 500 MB needed/);
    expect(await remainsOf(home, stack, marks)).toEqual([]);
  });
});
