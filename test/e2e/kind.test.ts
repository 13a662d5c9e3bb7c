import { chown, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tryExec } from '../../common/exec.ts';
import { entry, eventually, pinnedNode } from './support/home.ts';
import { type KindHome, makeKindHome, whyNoEngine } from './support/kind.ts';

const minute = 60_000;
const stack = 'kind';
const node = 'us-kind-control-plane';
const worker = 'us-kind-worker';

/** Of a user who is not root. */
const nobody = 65_534;

/** Where a node's port is reachable at this machine. */
const hostPort = 8080;
const nodePort = 30_080;

const hollowNodes = [
  { name: 'many', engine: 'kwok', count: 50 },
  { name: 'real', engine: 'kubemark', count: 2 },
];

/** Docker's config.json, with a password that must be seen nowhere else. */
const password = 'kept-to-itself';
const auth = Buffer.from(`robot:${password}`).toString('base64');
const credentials = JSON.stringify({ auths: { 'registry.example:5000': { auth } } });

const lacking = await whyNoEngine();

describe.skipIf(lacking !== undefined)(
  `a kind stack in an engine of its own${lacking ? ` (skipped: ${lacking})` : ''}`,
  () => {
    let kind: KindHome;
    let settings: object;

    beforeAll(async () => {
      kind = await makeKindHome('docker');
      await kind.container('load', '--input', kind.image.archive);
      settings = {
        workers: 1,
        hollowNodes,
        kind: {
          mounts: [{ hostPath: kind.home.stacksDir, containerPath: '/srv/stacks', readOnly: true }],
          ports: [{ containerPort: nodePort, hostPort }],
        },
      };
      await kind.writeStack(stack, settings);
      const set = [entry, 'secret', 'set', 'registryCredentials', stack];
      const { code, stderr } = await tryExec(pinnedNode, set, { env: kind.home.env, input: credentials });
      expect(code, stderr).toBe(0);
    }, 15 * minute);

    afterAll(() => kind?.remove(), 2 * minute);

    const containers = async (): Promise<readonly string[]> =>
      (await kind.container('ps', '--all', '--format', '{{.Names}}')).split('\n').filter(Boolean).sort();

    /** A container that kind takes for a node of a cluster of the stack's name. */
    const pretendNode = (name: string, ...more: readonly string[]): Promise<string> =>
      kind.container(
        ...[
          'create',
          '--name',
          name,
          '--label',
          'io.x-k8s.kind.cluster=us-kind',
          '--label',
          'io.x-k8s.kind.role=worker',
        ],
        ...more,
        kind.image.reference,
      );

    const json = (...args: readonly string[]) => kind.json(...args);

    const kubectl = (...args: readonly string[]) => kind.kubectl(stack, ...args);

    /** The registry credentials that a node has. */
    const credentialsOf = (name: string): Promise<string> =>
      kind.container('exec', name, 'sh', '-c', 'cat /var/lib/kubelet/config.json 2>/dev/null || echo none');

    /** Waits until the kubelet tells of no other static pod of kube-apiserver. */
    const apiServerIs = (name: string): Promise<unknown> =>
      eventually(`pod ${name} alone`, async () => {
        const pods = await kubectl('get', 'pods', '-n', 'kube-system', '-l', 'component=kube-apiserver', '-o', 'name');
        if (pods === `pod/${name}`) return true;
        throw new Error(pods);
      });

    it('says what to do where no engine works', async () => {
      await kind.writeStack('other', { kind: { engine: 'podman' } });
      const { code, stderr } = await kind.run('up', 'other');
      expect(code).toBe(1);
      expect(stderr).toMatch(/there is no podman on PATH\n\s+next: install Docker or Podman/);
    });

    it('refuses a cluster of its name that is not its own, and neither up nor down touches it', async () => {
      await pretendNode('foreign');
      const { code, stderr } = await kind.run('up', stack);
      expect(code).toBe(1);
      expect(stderr).toContain('a kind cluster us-kind that this stack did not make (foreign)');
      expect((await kind.run('down', stack)).code).toBe(0);
      expect(await containers()).toEqual(['foreign']);
      await kind.container('rm', 'foreign');
    });

    it(
      'comes up over half a cluster, encrypted',
      async () => {
        const mark = join(kind.home.clusterDir(stack), 'kind', 'mark');
        await mkdir(mark, { recursive: true });
        await pretendNode(worker, '--volume', `${mark}:/etc/understudy:ro`);
        const { code, stdout, stderr } = await kind.run('up', stack);
        expect(code, stderr).toBe(0);
        expect(stderr).toContain('half a cluster is there (1 nodes): making it anew');
        expect(stdout).toContain('secrets and config maps are encrypted in etcd through the KMS v2 plugin');
        expect(await containers()).toEqual([node, worker]);
        expect(stdout + stderr).not.toContain(password);
        expect(stdout + stderr).not.toContain(auth);
      },
      10 * minute,
    );

    it('has the hollow nodes, the mounts and the registry credentials that were asked for', async () => {
      const { cluster } = await json('status', stack);
      expect(cluster).toMatchObject({
        ready: true,
        hollowGroups: [
          { name: 'many', nodes: 50, ready: 50 },
          { name: 'real', nodes: 2, ready: 2 },
        ],
      });
      for (const name of [node, worker]) {
        expect(await kind.container('exec', name, 'ls', '/srv/stacks')).toContain('Pulumi.kind.yaml');
        expect(JSON.parse(await credentialsOf(name))).toMatchObject({ auths: { 'registry.example:5000': { auth } } });
      }
    });

    it('has pods that reach those of another node by the name of a Service, and so does this machine by a port', async () => {
      const plugin = ['-n', 'openshift-kms-plugin', 'ds/kms-plugin'];
      const image = await kubectl('get', ...plugin, '-o', 'jsonpath={.spec.template.spec.containers[0].image}');
      const serve = "require('http').createServer((_, answer) => answer.end('hello')).listen(8080)";
      const main = { name: 'main', image, imagePullPolicy: 'Never', command: ['/usr/bin/node', '-e', serve] };
      const pod = {
        metadata: { name: 'web', labels: { app: 'web' } },
        spec: { nodeName: worker, terminationGracePeriodSeconds: 0, containers: [main] },
      };
      const service = {
        metadata: { name: 'web' },
        spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, nodePort }] },
      };
      const file = join(kind.home.dir, 'web.yaml');
      const objects = [
        { apiVersion: 'v1', kind: 'Pod', ...pod },
        { apiVersion: 'v1', kind: 'Service', ...service },
      ];
      await writeFile(file, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
      await kubectl('apply', '-n', 'default', '-f', file);
      await kubectl('wait', '-n', 'default', '--for=condition=Ready', 'pod/web', '--timeout=60s');
      const ask = "fetch('http://web.default.svc.cluster.local').then((answer) => answer.text()).then(console.log)";
      // A Service leads nowhere until kube-proxy has heard of the pod, which is after the pod is Ready.
      const saysHello = async (said: Promise<string>): Promise<true> => {
        expect((await said).trim()).toBe('hello');
        return true;
      };
      const inPod = () => kubectl('exec', ...plugin, '-c', 'kms-plugin', '--', '/usr/bin/node', '-e', ask);
      await eventually('an answer by the name of a Service', () => saysHello(inPod()));
      const askPort = `fetch('http://127.0.0.1:${hostPort}').then((answer) => answer.text()).then(console.log)`;
      const [program = '', ...enter] = kind.engine.enter;
      const fromHere = async () => (await tryExec(program, [...enter, pinnedNode, '-e', askPort])).stdout;
      await eventually('an answer by a port of this machine', () => saysHello(fromHere()));
    });

    it('is proven to be encrypted by what is in etcd', async () => {
      const report = await json('verify', stack);
      expect(report).toMatchObject({
        resources: { secrets: { plaintext: 0 }, configmaps: { plaintext: 0 } },
        roundTrip: true,
      });
    });

    it("has another kube-apiserver take over for another mode, and the first one back, also in a folder that is not root's", async () => {
      await apiServerIs(`kube-apiserver-b-${node}`);
      // As it is where somebody who is not root uses the engine.
      await chown(join(kind.home.clusterDir(stack), 'kind', 'encryption', '1'), nobody, nobody);
      expect(await json('encrypt', 'aescbc', stack)).toMatchObject({ type: 'aescbc', changed: true });
      expect(await json('verify', stack)).toMatchObject({ resources: { secrets: { plaintext: 0 } }, roundTrip: true });
      await apiServerIs(`kube-apiserver-${node}`);
      expect(await json('encrypt', 'KMS', stack)).toMatchObject({ type: 'KMS', changed: true });
    });

    it('tells its status, its logs, and a kubeconfig that kubectl takes', async () => {
      expect(await json('status', stack)).toMatchObject({
        platform: 'kind',
        cluster: {
          ready: true,
          nodes: expect.arrayContaining([
            { name: node, ready: true, hollow: false },
            { name: worker, ready: true, hollow: false },
          ]),
        },
        encryption: { type: 'KMS', encrypted: { status: 'True' } },
      });
      expect((await kind.run('logs', 'kubelet', stack)).stdout).toContain('kubelet');
      expect((await kind.run('logs', 'kube-apiserver', stack)).code).toBe(0);
    });

    it(
      'changes nothing where all is as it should be; starts a node that was stopped, and takes credentials away with the setting',
      async () => {
        expect(await json('up', stack)).toMatchObject({ changes: 0, nodes: 2, hollowNodes: 52 });
        await kind.container('stop', node);
        await kind.writeStack(stack, settings);
        expect(await json('up', stack)).toMatchObject({ changes: 1, nodes: 2, encryption: 'KMS' });
        for (const name of [node, worker]) expect(await credentialsOf(name)).toBe('none');
      },
      5 * minute,
    );

    it('goes with everything that it made, and nothing else', async () => {
      await kind.container('create', '--name', 'bystander', kind.image.reference);
      expect((await kind.run('down', stack)).code).toBe(0);
      expect(await containers()).toEqual(['bystander']);
      expect(await kind.container('network', 'ls', '--filter', 'name=^kind$', '--quiet')).toBe('');
      expect(await kind.container('volume', 'ls', '--quiet')).toBe('');
      expect(await readdir(join(kind.home.dir, 'clusters'))).toEqual([]);
      await expect(stat(kind.home.clusterDir(stack))).rejects.toThrow('ENOENT');
      expect((await kind.run('down', stack)).code).toBe(0);
    });
  },
);
