import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tryExec } from '../../common/exec.ts';
import { projectDir } from '../../common/paths.ts';
import { lineProgress } from '../../common/progress.ts';
import { installMissing } from '../../toolchain/systemPackages.ts';
import { arch, ensureTools, toolsDir } from '../tools/ensure.ts';
import { problemsOfRegistry } from './stepRegistry.ts';

const registry = join(projectDir, 'ci', 'step-registry');
const workflow = join(projectDir, 'ci', 'github-actions', 'understudy.yaml');

const version = '1.7.12';
const release = `https://github.com/rhysd/actionlint/releases/download/v${version}`;

/** Milliseconds; a first build, or an apt-get. */
const toolsWithinMs = 600_000;

const ensureActionlint = async (): Promise<string> => {
  const { actionlint } = await ensureTools<'actionlint'>({
    name: 'actionlint',
    version,
    programs: [
      {
        name: 'actionlint',
        release: {
          url: `${release}/actionlint_${version}_linux_${arch}.tar.gz`,
          checksumsUrl: `${release}/actionlint_${version}_checksums.txt`,
        },
        package: 'github.com/rhysd/actionlint/cmd/actionlint',
      },
    ],
    build: {
      kind: 'go',
      module: 'actionlint',
      cgo: false,
      tags: [],
      variables: {},
      packages: ['ca-certificates'],
    },
  });
  return actionlint;
};

beforeAll(
  () =>
    installMissing(
      lineProgress((line) => process.stderr.write(line)),
      [{ name: 'shellcheck', commands: ['shellcheck'] }],
    ),
  toolsWithinMs,
);

const filesOf = async (ending: string): Promise<readonly string[]> =>
  (await readdir(registry, { recursive: true }))
    .filter((file) => file.endsWith(ending))
    .map((file) => join(registry, file))
    .sort();

describe('the step registry', () => {
  let copy: string;

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'step-registry-'));
    await cp(registry, copy, { recursive: true });
  });

  afterAll(() => rm(copy, { recursive: true }));

  it('has the steps and the chain of the mock KMS plugin, as ci-tools reads them', async () => {
    const names = [...(await filesOf('-ref.yaml')), ...(await filesOf('-chain.yaml'))].map((path) =>
      path.split('/').at(-1),
    );
    expect(names).toEqual([
      'kms-mock-plugin-cleanup-ref.yaml',
      'kms-mock-plugin-configure-ref.yaml',
      'kms-mock-plugin-deploy-ref.yaml',
      'kms-mock-plugin-verify-ref.yaml',
      'kms-mock-plugin-provision-chain.yaml',
    ]);
    expect(await problemsOfRegistry(registry)).toEqual([]);
  });

  it.each([
    ['a field that there is none of', 'verify', 'ref.yaml', 'from: understudy', 'form: understudy', /Unrecognized key/],
    ['a wrong name', 'verify', 'ref.yaml', 'as: kms-mock', 'as: mock', /must be called kms-mock-plugin-verify/],
    ['a trap without time for it', 'verify', 'ref.yaml', '  grace_period: 2m\n', '', /grace_period is missing/],
    [
      'no resources',
      'verify',
      'ref.yaml',
      '    requests:\n      cpu: 100m\n      memory: 512Mi\n',
      '    {}\n',
      /neither request nor limit/,
    ],
    ['a variable that nobody reads', 'verify', 'ref.yaml', 'UNDERSTUDY_STACK', 'NOBODY', /never read NOBODY/],
    ['a step that there is none of', 'provision', 'chain.yaml', 'plugin-deploy', 'plugin-gone', /there is no ref/],
    ['metadata of other owners', 'provision', 'OWNERS', 'approvers', 'watchers', /watchers|approvers/],
  ])('%s is noticed', async (_, step, ending, from, to, problem) => {
    const dir = join(copy, 'kms', 'mock-plugin', step);
    const path = join(dir, ending === 'OWNERS' ? ending : `kms-mock-plugin-${step}-${ending}`);
    const good = await readFile(path, 'utf8');
    await writeFile(path, good.replace(from, to));
    expect((await problemsOfRegistry(copy)).join('\n')).toMatch(problem);
    await writeFile(path, good);
    expect(await problemsOfRegistry(copy)).toEqual([]);
  });

  it('has commands that shellcheck finds nothing in', async () => {
    const scripts = await filesOf('-commands.sh');
    expect(scripts).toHaveLength(4);
    // SC2310: that a function in a condition may fail is what the condition is for.
    const { code, stdout } = await tryExec('shellcheck', ['--enable=all', '--exclude=SC2310', ...scripts]);
    expect(stdout).toBe('');
    expect(code).toBe(0);
  });
});

describe('the workflow of GitHub Actions', () => {
  let actionlint: string;

  beforeAll(async () => {
    actionlint = await ensureActionlint();
  }, toolsWithinMs);

  it('is linted by the actionlint that go.mod pins', async () => {
    const module = await readFile(join(toolsDir, 'actionlint', 'go.mod'), 'utf8');
    expect(module).toContain(`github.com/rhysd/actionlint v${version}`);
    expect((await tryExec(actionlint, ['--version'])).stdout).toContain(version);
  });

  it('has nothing that actionlint finds, its shell commands neither', async () => {
    const { code, stdout } = await tryExec(actionlint, ['-shellcheck', 'shellcheck', workflow]);
    expect(stdout).toBe('');
    expect(code).toBe(0);
  });

  it.each([
    [
      'an unknown key of a step',
      'working-directory: understudy',
      'directory: understudy',
      /unexpected key "directory"/,
    ],
    ['a context that there is none of', 'vars.UNDERSTUDY_REPOSITORY', 'var.UNDERSTUDY', /undefined variable "var"/],
    ['a shell command that splits words', '"$RUNNER_TEMP/kubeconfig"', '$RUNNER_TEMP/kubeconfig', /SC2086/],
  ])('%s is noticed', async (_, from, to, problem) => {
    const dir = await mkdtemp(join(tmpdir(), 'workflow-'));
    const path = join(dir, 'understudy.yaml');
    await writeFile(path, (await readFile(workflow, 'utf8')).replace(from, to));
    const { code, stdout } = await tryExec(actionlint, ['-shellcheck', 'shellcheck', path]);
    await rm(dir, { recursive: true });
    expect(stdout).toMatch(problem);
    expect(code).toBe(1);
  });
});
