import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentProgress } from '../common/progress.ts';
import {
  aptInstall,
  buildPackagesNamed,
  installMissing,
  isDebian,
  missingPackages,
  planInstall,
  type SystemFacts,
} from './systemPackages.ts';

const packages = [
  { name: 'iptables', commands: ['iptables', 'iptables-save'] },
  { name: 'libseccomp-dev', anyFile: ['/usr/include/seccomp.h', '/usr/local/include/seccomp.h'] },
];
const facts = (over: Partial<SystemFacts>): SystemFacts => ({
  root: true,
  debian: true,
  aptLists: true,
  present: new Set(),
  ...over,
});

test.each([
  ['ID=debian\n', true],
  ['NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', true],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', true],
  ['ID="fedora"\nVARIANT_ID=debian\n', false],
  ['ID=alpine\n', false],
  ['', false],
])('os-release %j is of Debian: %s', (text, expected) => {
  expect(isDebian(text)).toBe(expected);
});

test.each([
  ['nothing there', [], ['iptables', 'libseccomp-dev']],
  ['one of two commands', ['iptables'], ['iptables', 'libseccomp-dev']],
  ['all commands', ['iptables', 'iptables-save'], ['libseccomp-dev']],
  ['the file in its other place', ['iptables', 'iptables-save', '/usr/local/include/seccomp.h'], []],
])('%s', (_what, present, missing) => {
  expect(missingPackages(packages, new Set(present)).map(({ name }) => name)).toEqual(missing);
});

describe('planInstall', () => {
  test('nothing to do', () => {
    expect(planInstall([], facts({}))).toEqual({ kind: 'nothing' });
  });
  test('root on Debian installs; the lists are fetched first where there are none', () => {
    const names = ['iptables', 'libseccomp-dev'];
    expect(planInstall(packages, facts({}))).toMatchObject({ kind: 'install', names, update: false });
    expect(planInstall(packages, facts({ aptLists: false }))).toMatchObject({ kind: 'install', names, update: true });
  });
  test('others are told the command', () => {
    expect(planInstall(packages, facts({ root: false }))).toMatchObject({
      kind: 'ask',
      next: "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends iptables libseccomp-dev'",
    });
  });
  test('elsewhere the programs and files that are needed', () => {
    const plan = planInstall(packages, facts({ debian: false, present: new Set(['iptables']) }));
    expect(plan).toMatchObject({ kind: 'ask', next: expect.stringContaining('iptables-save, /usr/include/seccomp.h') });
  });
});

describe('with apt-get in place of the real one', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-apt-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** An apt-get that notes its arguments and then runs `body`. */
  const aptGet = async (body: string): Promise<NodeJS.ProcessEnv> => {
    const path = join(folder, 'apt-get');
    await writeFile(path, `#!/bin/sh\necho "$*" >> ${folder}/log\n${body}\n`);
    await chmod(path, 0o755);
    return { PATH: `${folder}:/usr/bin:/bin` };
  };
  const log = async () => (await readFile(join(folder, 'log'), 'utf8')).trim().split('\n');
  const option = '-o DPkg::Lock::Timeout=120';
  const install = `${option} install -y --no-install-recommends s6`;

  test('installs without fetching lists where they do', async () => {
    const env = await aptGet('test "$DEBIAN_FRONTEND" = noninteractive');
    await aptInstall(['s6'], false, silentProgress, env);
    expect(await log()).toEqual([install]);
  });

  test('fetches the lists where the package is not found in them', async () => {
    const env = await aptGet(`case "$*" in *update) touch ${folder}/lists;; *) test -e ${folder}/lists;; esac`);
    await aptInstall(['s6'], false, silentProgress, env);
    expect(await log()).toEqual([install, `${option} update`, install]);
  });

  test('says what apt-get said when it fails, and what to type', async () => {
    const env = await aptGet('echo "E: Unable to locate package s6" >&2; exit 100');
    const failure = aptInstall(['s6'], true, silentProgress, env);
    await expect(failure).rejects.toThrow(/Unable to locate package s6[\s\S]*next: apt-get update && apt-get install/);
  });

  test('nothing is installed when nothing is missing', async () => {
    const env = await aptGet('exit 1');
    await installMissing(silentProgress, [{ name: 'x', commands: ['sh'], anyFile: ['/'] }], env);
    await expect(log()).rejects.toThrow();
  });
});

test('packages for building carry their proof', () => {
  expect(buildPackagesNamed(['gcc'])).toEqual([{ name: 'gcc', commands: ['gcc'] }]);
});
