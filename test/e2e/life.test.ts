import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ClusterAccess, readAccess } from '../../cluster/access.ts';
import { bridgeName } from '../../cluster/plan.ts';
import { exec, tryExec } from '../../common/exec.ts';
import { silentProgress } from '../../common/progress.ts';
import { ensurePrograms } from '../../toolchain/index.ts';
import { type ClusterMarks, endHome, type Home, makeHome, marksOf } from './support/home.ts';
import { type Kubectl, kubectlFor } from './support/kubectl.ts';
import { remainsOf } from './support/remains.ts';

const stack = 'life';
const node = `${stack}-control-plane`;

let home: Home;
let kubectl: Kubectl;
let access: ClusterAccess;
let marks: ClusterMarks;
let planned: number;

beforeAll(async () => {
  home = await makeHome();
  await home.writeStack(stack);
  marks = await marksOf(home, stack);
});

afterAll(() => endHome(home));

describe('before the first up', () => {
  it('preview plans all resources and changes nothing', async () => {
    const { code, stdout, stderr } = await home.run('preview', stack, '--json');
    expect(code, stderr).toBe(0);
    planned = JSON.parse(stdout).changes;
    expect(planned).toBeGreaterThan(50);
    expect(stderr).toMatch(/\+ create DaemonSet kms-plugin-daemonset/);
    expect(existsSync(home.clusterDir(stack))).toBe(false);
    expect((await tryExec('ip', ['link', 'show', bridgeName(marks.id)])).code).not.toBe(0);
  });

  it('status and verify say that it is not up, and what to type', async () => {
    for (const command of ['status', 'verify', 'kubeconfig']) {
      const { code, stderr } = await home.run(command, stack);
      expect(code).toBe(1);
      expect(stderr).toContain(`stack ${stack} is not up\n  next: run 'understudy up ${stack}'`);
    }
  });
});

describe('a stack of one node', () => {
  beforeAll(async () => {
    const { code, stdout, stderr } = await home.run('up', stack, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stack, changes: planned, healed: false, nodes: 1, encryption: 'KMS' });
    marks = await marksOf(home, stack);
    kubectl = await kubectlFor(home, stack);
    const found = await readAccess(home.clusterDir(stack));
    if (found === undefined) throw new Error('no access.json after up');
    access = found;
  });

  it('up again changes no resource', async () => {
    const { code, stdout, stderr } = await home.run('up', stack, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stack, changes: 0, healed: false, nodes: 1 });
  });

  it('status --json tells of cluster, encryption and plugins', async () => {
    const { code, stdout } = await home.run('status', stack, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      stack,
      platform: 'local',
      cluster: {
        ready: true,
        version: expect.stringMatching(/^v1\./),
        nodes: [{ name: node, ready: true, hollow: false }],
      },
      encryption: {
        type: 'KMS',
        encrypted: { status: 'True', reason: 'EncryptionCompleted' },
        writeKey: '1',
        keys: [{ id: '1', mode: 'KMS', state: 'write', migrated: true }],
      },
      plugins: [{ node, keyID: '1', status: 'healthy', detail: '' }],
    });
  });

  it('verify --json counts what is in etcd, and proves a round trip', async () => {
    const { code, stdout } = await home.run('verify', stack, '--json');
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.roundTrip).toBe(true);
    for (const resource of ['secrets', 'configmaps']) {
      const { checked, encrypted, plaintext, byKey, byKekID, wrong } = report.resources[resource];
      expect({ encrypted, plaintext, byKey, wrong }).toEqual({
        encrypted: checked,
        plaintext: 0,
        byKey: { [`1_${resource}`]: checked },
        wrong: [],
      });
      expect(Object.values(byKekID)).toEqual([checked]);
    }
  });

  it('understudy logs shows components and the plugin, and names those that exist', async () => {
    expect((await home.run('logs', 'kms-plugin', stack)).stdout).toContain('serving KMS v2');
    expect((await home.run('logs', 'kubelet', stack, '-n', '5')).stdout.trimEnd().split('\n')).toHaveLength(5);
    const { code, stderr } = await home.run('logs', 'kublet', stack);
    expect(code).toBe(2);
    expect(stderr).toMatch(/there are logs of .*kube-apiserver.*kubelet/);
  });

  it('all of it is resources of the engine, whose state holds no credential in plain text', async () => {
    const { pulumi } = await ensurePrograms(['pulumi'], silentProgress);
    const env = {
      ...home.env,
      PULUMI_BACKEND_URL: `file://${home.dir}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: join(home.dir, 'passphrase'),
    };
    const exported = await exec(pulumi, ['stack', 'export', '--stack', `organization/understudy/${stack}`], { env });
    const { resources } = JSON.parse(exported).deployment as {
      readonly resources: readonly { readonly type: string }[];
    };
    const types = new Set(resources.map(({ type }) => type));
    for (const type of [
      'understudy:index:LocalCluster',
      'understudy:index:Image',
      'understudy:index:KmsPlugin',
      'understudy:index:OpenShiftApi',
      'understudy:index:KmsBackend',
      'understudy:index:EncryptionOperator',
      'understudy:index:ApiServerEncryption',
      'command:local:Command',
      'kubernetes:core/v1:Namespace',
      'kubernetes:core/v1:ServiceAccount',
      'kubernetes:apps/v1:DaemonSet',
      'kubernetes:apps/v1:Deployment',
      'kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition',
      'kubernetes:config.openshift.io/v1:APIServerPatch',
      'kubernetes:rbac.authorization.k8s.io/v1:ClusterRole',
    ]) {
      expect(types).toContain(type);
    }
    const kubeconfigKey = parse(access.kubeconfig).users[0].user['client-key-data'] as string;
    const keys = [Buffer.from(kubeconfigKey, 'base64').toString(), access.etcd.published.key];
    const needles = [
      kubeconfigKey,
      ...keys.flatMap((key) => key.split('\n').filter((line) => /^[A-Za-z0-9+/=]{40,}$/.test(line))),
    ];
    const files = await readdir(join(home.dir, '.pulumi'), { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile())) {
      const path = join(file.parentPath, file.name);
      const content = await readFile(path, 'utf8');
      for (const needle of needles) expect(content.includes(needle), path).toBe(false);
    }
  });

  it('up makes what somebody deleted behind its back, once refresh has looked', async () => {
    const endpoints = ['-n', 'kube-system', 'endpointslices', 'kube-dns-control-plane'];
    await kubectl('delete', ...endpoints);
    const { code, stdout } = await home.run('refresh', stack, '--json');
    expect([code, JSON.parse(stdout).changes]).toEqual([0, 1]);
    const again = await home.run('up', stack, '--json');
    expect(again.code, again.stderr).toBe(0);
    expect(await kubectl('get', ...endpoints, '-o', 'name')).toContain('kube-dns-control-plane');
  });
});

describe('after it', () => {
  it('down leaves no process, link, route, firewall rule, cgroup, mount or file, and can be repeated', async () => {
    expect((await remainsOf(home, stack, marks)).length).toBeGreaterThan(10);
    const first = await home.run('down', stack, '--json');
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ stack, wasThere: true });
    expect(await remainsOf(home, stack, marks)).toEqual([]);
    const second = await home.run('down', stack, '--json');
    expect([second.code, JSON.parse(second.stdout).wasThere]).toEqual([0, false]);
    expect(await remainsOf(home, stack, marks)).toEqual([]);
  });
});
