import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KindHome, makeKindHome, whyNoEngine } from './support/kind.ts';

const minute = 60_000;
const stack = 'kind';
const node = 'us-kind-control-plane';
const worker = 'us-kind-worker';

const lacking = await whyNoEngine();

describe.skipIf(lacking !== undefined)(
  `a kind stack in an engine of its own${lacking ? ` (skipped: ${lacking})` : ''}`,
  () => {
    let kind: KindHome;

    beforeAll(async () => {
      kind = await makeKindHome();
      await kind.docker('load', '--input', kind.image.archive);
      await kind.writeStack(stack, { workers: 1 });
    }, 15 * minute);

    afterAll(() => kind?.remove(), 2 * minute);

    const containers = async (): Promise<readonly string[]> =>
      (await kind.docker('ps', '--all', '--format', '{{.Names}}')).split('\n').filter(Boolean).sort();

    /** A container that kind takes for a node of a cluster of the stack's name. */
    const pretendNode = (name: string, ...more: readonly string[]): Promise<string> =>
      kind.docker(
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

    const json = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
      const { code, stdout, stderr } = await kind.run(...args, '--json');
      expect(code, stderr + stdout).toBe(0);
      return JSON.parse(stdout);
    };

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
      await kind.docker('rm', 'foreign');
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
      },
      10 * minute,
    );

    it('has pods that reach those of another node by the name of a Service', async () => {
      const kubectl = async (...args: readonly string[]): Promise<string> => {
        const { code, stdout, stderr } = await kind.run('kubectl', '--stack', stack, ...args);
        expect(code, stderr).toBe(0);
        return stdout.trim();
      };
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
        spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
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
      const said = await kubectl('exec', ...plugin, '-c', 'kms-plugin', '--', '/usr/bin/node', '-e', ask);
      expect(said).toBe('hello');
    });

    it('is proven to be encrypted by what is in etcd', async () => {
      const report = await json('verify', stack);
      expect(report).toMatchObject({
        resources: { secrets: { plaintext: 0 }, configmaps: { plaintext: 0 } },
        roundTrip: true,
      });
    });

    it('tells its status, its logs, and a kubeconfig that kubectl takes', async () => {
      expect(await json('status', stack)).toMatchObject({
        platform: 'kind',
        cluster: {
          ready: true,
          nodes: [
            { name: node, ready: true },
            { name: worker, ready: true },
          ],
        },
        encryption: { type: 'KMS', encrypted: { status: 'True' } },
      });
      expect((await kind.run('logs', 'kubelet', stack)).stdout).toContain('kubelet');
      expect((await kind.run('logs', 'kube-apiserver', stack)).code).toBe(0);
      const pods = await kind.run('kubectl', '--stack', stack, 'get', 'pods', '-n', 'kube-system', '-o', 'name');
      expect(pods.stdout).toContain(`pod/kube-apiserver-${node}`);
    });

    it(
      'changes nothing where all is as it should be, and starts a node that was stopped',
      async () => {
        expect(await json('up', stack)).toMatchObject({ changes: 0, nodes: 2 });
        await kind.docker('stop', node);
        expect(await json('up', stack)).toMatchObject({ changes: 0, nodes: 2, encryption: 'KMS' });
      },
      5 * minute,
    );

    it('goes with everything that it made, and nothing else', async () => {
      await kind.docker('create', '--name', 'bystander', kind.image.reference);
      expect((await kind.run('down', stack)).code).toBe(0);
      expect(await containers()).toEqual(['bystander']);
      expect(await kind.docker('network', 'ls', '--filter', 'name=^kind$', '--quiet')).toBe('');
      expect(await kind.docker('volume', 'ls', '--quiet')).toBe('');
      expect(await readdir(join(kind.home.dir, 'clusters'))).toEqual([]);
      await expect(stat(kind.home.clusterDir(stack))).rejects.toThrow('ENOENT');
      expect((await kind.run('down', stack)).code).toBe(0);
    });
  },
);
