import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatherSupplies } from '../../cluster/supplies.ts';
import { type ExecResult, exec, tryExec } from '../../common/exec.ts';
import { silentProgress } from '../../common/progress.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import { user } from '../tools/registryServer.ts';
import { type Box, boxOf } from './support/boxes.ts';
import { endHome, entry, eventually, type Home, makeHome, pinnedNode } from './support/home.ts';
import { type Kubectl, kubectlFor } from './support/kubectl.ts';
import { type PrivateRegistry, startRegistry } from './support/registry.ts';

const stack = 'private';

let home: Home;
let kubectl: Kubectl;
let box: Box;
let registry: PrivateRegistry;
let image: string;
/** All that commands have said. */
const said: string[] = [];

const auth = (password: string): string => Buffer.from(`${user.name}:${password}`).toString('base64');
/** With what a `docker login` leaves beside them. */
const credentials = (password: string): string =>
  JSON.stringify({ auths: { '127.0.0.1:5000': { auth: auth(password) } }, detachKeys: 'ctrl-q' }, null, 2);

const setCredentials = async (password: string): Promise<ExecResult> => {
  const command = [entry, 'secret', 'set', 'registryCredentials', stack, '--json'];
  const result = await tryExec(pinnedNode, command, { env: home.env, input: credentials(password) });
  said.push(result.stdout, result.stderr);
  return result;
};

/** What it printed. */
const up = async (): Promise<string> => {
  const { code, stdout, stderr } = await home.run('up', stack);
  expect(code, stderr).toBe(0);
  said.push(stdout, stderr);
  return stdout;
};

const startPod = (name: string): Promise<void> =>
  kubectl.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image, imagePullPolicy: 'Always' }],
    },
  });

const isRefused = (name: string): Promise<unknown> =>
  eventually(`pod ${name} refused by the registry`, async () => {
    const state = await kubectl('get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[0].state.waiting}');
    if (/ErrImagePull|ImagePullBackOff/.test(state) && /401 Unauthorized|no basic auth/.test(state)) return true;
    throw new Error(state);
  });

const runs = (name: string): Promise<unknown> =>
  eventually(`pod ${name} Running`, async () => {
    const phase = await kubectl('get', 'pod', name, '-o', 'jsonpath={.status.phase}');
    if (phase === 'Running') return true;
    throw new Error(phase);
  });

const kubeletFile = (): string => join(box.root, 'var/lib/kubelet/config.json');
const stackFile = (): string => join(home.stacksDir, `Pulumi.${stack}.yaml`);

beforeAll(async () => {
  home = await makeHome();
  await home.writeStack(stack);
  expect((await setCredentials('wrong')).code).toBe(0);
  await up();
  kubectl = await kubectlFor(home, stack);
  box = await boxOf(home, stack, `${stack}-control-plane`);
  registry = await startRegistry(box);
  const { pauseImage } = await gatherSupplies(silentProgress);
  image = await registry.push(pauseImage.reference, 'team/pause:1');
  // The registry is built once, in minutes.
}, 15 * 60_000);

afterAll(async () => {
  await registry?.end();
  await endHome(home);
});

it('refuses a pod with the wrong credentials, and lets it run once they are right, in the same box', async () => {
  await startPod('waiting');
  await isRefused('waiting');
  const before = [await box.pid(), await box.componentPid('containerd'), await box.componentPid('kubelet')];
  expect(JSON.parse((await setCredentials(user.password)).stdout)).toEqual({
    stack,
    setting: 'registryCredentials',
    registries: ['127.0.0.1:5000'],
  });
  await up();
  await runs('waiting');
  expect([await box.pid(), await box.componentPid('containerd')]).toEqual(before.slice(0, 2));
  expect(await box.componentPid('kubelet')).not.toBe(before[2]);
  expect((await stat(kubeletFile())).mode & 0o777).toBe(0o600);
  const kubeletReads = { auths: { '127.0.0.1:5000': { auth: auth(user.password) } } };
  expect(JSON.parse(await readFile(kubeletFile(), 'utf8'))).toEqual(kubeletReads);
});

it('leaves the kubelet alone where nothing has changed', async () => {
  const before = await box.componentPid('kubelet');
  expect(await up()).toContain(' 0 resources changed');
  expect(await box.componentPid('kubelet')).toBe(before);
});

it('has them in plain text nowhere but in the file of the kubelet', async () => {
  const secrets = [user.password, auth(user.password), auth('wrong')];
  const patterns = secrets.flatMap((secret) => ['-e', secret]);
  const found = await tryExec('grep', [
    '--recursive',
    '--files-with-matches',
    '--fixed-strings',
    ...patterns,
    home.dir,
  ]);
  expect(found.stdout.trim().split('\n')).toEqual([kubeletFile()]);
  const shown = [...said, await readFile(stackFile(), 'utf8')].join('\n');
  for (const secret of secrets) expect(shown).not.toContain(secret);
});

it('says so where the passphrase is another one, before it changes anything', async () => {
  const env = { ...home.env, PULUMI_CONFIG_PASSPHRASE: 'another' };
  for (const command of [
    ['up', stack],
    ['secret', 'set', 'registryCredentials', stack],
  ]) {
    const result = await tryExec(pinnedNode, [entry, ...command], { env, input: credentials('another') });
    expect(result.code, result.stderr).toBe(2);
    expect(result.stderr).toMatch(
      /could not decrypt the secrets in .*: the passphrase is wrong.*\n {2}next: .*PULUMI_CONFIG_PASSPHRASE/,
    );
  }
});

it('takes them from the file, and from nodes, where the setting is taken out', async () => {
  await home.writeStack(stack);
  await up();
  await expect(stat(kubeletFile())).rejects.toThrow(/ENOENT/);
  await startPod('refused');
  await isRefused('refused');
});

it('takes a secret that Pulumi itself has written', async () => {
  const { pulumi } = await ensurePrograms(['pulumi'], silentProgress);
  const project = await mkdtemp(join(tmpdir(), 'project-'));
  await writeFile(join(project, 'Pulumi.yaml'), 'name: understudy\nruntime: nodejs\n');
  const env = {
    ...home.env,
    PULUMI_BACKEND_URL: `file://${home.dir}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE_FILE: join(home.dir, 'passphrase'),
    PULUMI_SKIP_UPDATE_CHECK: 'true',
  };
  const set = ['config', 'set', '--secret', 'understudy:registryCredentials', '--stack', stack];
  await exec(pulumi, [...set, '--config-file', stackFile()], { cwd: project, env, input: credentials(user.password) });
  await rm(project, { recursive: true });
  expect(await readFile(stackFile(), 'utf8')).toMatch(/secure: v1:/);
  await up();
  await runs('refused');
});

it('starts a box that died with what it had', async () => {
  const credentialsBefore = await readFile(kubeletFile(), 'utf8');
  process.kill((await box.pid()) ?? 0, 'SIGKILL');
  await up();
  expect(await readFile(kubeletFile(), 'utf8')).toBe(credentialsBefore);
});
