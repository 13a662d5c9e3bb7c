import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectDir } from '../../common/paths.ts';
import { boxOf } from './support/boxes.ts';
import {
  type ClusterMarks,
  endHome,
  type Finished,
  type Home,
  makeHome,
  marksOf,
  startCommand,
} from './support/home.ts';
import { remainsOf } from './support/remains.ts';

const stack = 'cijob';
const steps = join(projectDir, 'ci', 'step-registry', 'kms', 'mock-plugin');

let home: Home;
let job: string;
let marks: ClusterMarks;

beforeAll(async () => {
  home = await makeHome();
  await home.writeStack(stack, { encryption: 'identity' });
  job = await mkdtemp(join(tmpdir(), 'job-'));
  await mkdir(join(job, 'shared'));
  await mkdir(join(job, 'artifacts'));
});

afterAll(async () => {
  await endHome(home);
  await rm(job, { recursive: true });
});

/** Runs the commands of a step as a job does. */
const runStep = (step: string, env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  startCommand(['bash', join(steps, step, `kms-mock-plugin-${step}-commands.sh`)], {
    ...home.env,
    SHARED_DIR: join(job, 'shared'),
    ARTIFACT_DIR: join(job, 'artifacts'),
    UNDERSTUDY_DIR: projectDir,
    UNDERSTUDY_STACK: stack,
    ...env,
  }).finished;

const ends = async (step: string, code = 0): Promise<Finished> => {
  const finished = await runStep(step);
  expect(finished.code, finished.stdout + finished.stderr).toBe(code);
  return finished;
};

const shared = async (): Promise<readonly string[]> => (await readdir(join(job, 'shared'))).sort();
const readShared = (file: string): Promise<string> => readFile(join(job, 'shared', file), 'utf8');
const artifact = async (file: string): Promise<ReturnType<typeof JSON.parse>> =>
  JSON.parse(await readFile(join(job, 'artifacts', file), 'utf8'));

describe('before anything is made', () => {
  it('configure and verify name the step that must come first', async () => {
    for (const step of ['configure', 'verify']) {
      expect((await ends(step, 1)).stderr).toContain('run kms-mock-plugin-deploy before this step');
    }
  });

  it('deploy refuses v1 of the KMS API, a SHARED_DIR that takes no files, and a job with another cluster', async () => {
    const v1 = await runStep('deploy', { KMS_VERSION: 'v1' });
    expect([v1.code, v1.stderr]).toEqual([2, expect.stringContaining('v2 of the KMS API alone')]);
    const file = await runStep('deploy', { SHARED_DIR: '/proc/version' });
    expect([file.code, file.stderr]).toEqual([2, expect.stringContaining('it is no folder')]);
    const kubeconfig = join(job, 'shared', 'kubeconfig');
    await writeFile(kubeconfig, 'current-context: admin\n');
    expect((await ends('deploy', 2)).stderr).toContain('of another cluster');
    expect((await ends('cleanup')).stdout).toContain('nothing is left');
    expect(await shared()).toEqual(['kubeconfig']);
    await rm(kubeconfig);
  });
});

describe('a job', () => {
  it('deploys, and tells the steps after it where the plugin is', async () => {
    await ends('deploy');
    marks = await marksOf(home, stack);
    expect(await shared()).toEqual([
      'kms-plugin-namespace',
      'kms-plugin-socket-path',
      'kms-plugin-version',
      'kubeconfig',
      'vault-kms-plugin-image',
    ]);
    expect(await readShared('kms-plugin-socket-path')).toBe('/var/run/kmsplugin/socket.sock\n');
    expect(await readShared('kms-plugin-namespace')).toBe('openshift-kms-plugin\n');
    expect(await readShared('kms-plugin-version')).toBe('v2\n');
    expect((await stat(join(job, 'shared', 'kubeconfig'))).mode & 0o777).toBe(0o600);
    expect((await artifact('status.json')).encryption.type).toBe('identity');
  });

  it('configures encryption and waits for it', async () => {
    await ends('configure');
    expect((await artifact('status.json')).encryption).toMatchObject({
      type: 'KMS',
      encrypted: { status: 'True', reason: 'EncryptionCompleted' },
    });
  });

  it('proves the encryption, and leaves the proof among the artifacts', async () => {
    expect((await ends('verify')).stdout).toContain('Encryption is proven.');
    const { resources, roundTrip } = await artifact('verify.json');
    expect([roundTrip, resources.secrets.plaintext]).toEqual([true, 0]);
    expect(await readFile(join(job, 'artifacts', 'plugin-pods.txt'), 'utf8')).toContain('Running');
    expect(await readFile(join(job, 'artifacts', 'kms-plugin.log'), 'utf8')).toContain('serving KMS v2');
  });

  it('fails to verify a plugin that serves elsewhere than it said', async () => {
    await writeFile(join(job, 'shared', 'kms-plugin-socket-path'), '/var/run/kmsplugin/other.sock\n');
    expect((await ends('verify', 1)).stderr).toContain('does not serve at /var/run/kmsplugin/other.sock');
  });

  it('decrypts, removes everything, and can be told to once more', async () => {
    const first = await ends('cleanup');
    expect(first.stdout).toMatch(/stored as plain text[\s\S]*the plugin can go[\s\S]*is gone[\s\S]*nothing is left/);
    expect(await remainsOf(home, stack, marks)).toEqual([]);
    expect(await shared()).toEqual([]);
    const second = await ends('cleanup');
    expect(second.stdout).toContain(`stack ${stack} is not up: nothing to decrypt`);
    expect(second.stdout).toContain('nothing is left');
  });
});

describe('a job whose cluster died', () => {
  beforeAll(async () => {
    await ends('deploy');
    marks = await marksOf(home, stack);
    const pid = await (await boxOf(home, stack, `${stack}-control-plane`)).pid();
    process.kill(pid ?? Number.NaN, 'SIGKILL');
  });

  it('is cleaned up all the same within minutes, and says that it could not decrypt', async () => {
    const { stdout, stderr } = await ends('cleanup');
    expect(stderr).toContain(`WARNING: stack ${stack} could not be decrypted first`);
    expect(stdout).toContain('nothing is left');
    expect(await remainsOf(home, stack, marks)).toEqual([]);
    expect(await shared()).toEqual([]);
  });
});
