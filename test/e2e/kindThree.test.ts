import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balancerImage } from '../../kind/cluster/loadBalancer.ts';
import { eventually } from './support/home.ts';
import { type KindHome, makeKindHome, whyNoEngine } from './support/kind.ts';

const minute = 60_000;
const stack = 'three';
const balancer = 'us-three-external-load-balancer';
const nodes = ['', '2', '3'].map((place) => `us-three-control-plane${place}`);

const lacking = await whyNoEngine();

describe.skipIf(lacking !== undefined)(
  `a kind stack of three control planes in an engine of its own${lacking ? ` (skipped: ${lacking})` : ''}`,
  () => {
    let kind: KindHome;

    beforeAll(async () => {
      kind = await makeKindHome('docker');
      await kind.container('load', '--input', kind.image.archive);
      await kind.writeStack(stack, { controlPlanes: 3 });
    }, 15 * minute);

    afterAll(() => kind?.remove(), 2 * minute);

    const containers = async (): Promise<readonly string[]> =>
      (await kind.container('ps', '--all', '--format', '{{.Names}}')).split('\n').filter(Boolean).sort();

    it(
      'comes up encrypted, behind a stand-in for the load balancer that no registry gives',
      async () => {
        const { code, stdout, stderr } = await kind.run('up', stack);
        expect(code, stderr).toBe(0);
        expect(stderr).toContain('image of the load balancer into docker');
        expect(stdout).toContain('KMS plugin ready on 3 of 3 control-plane nodes');
        expect(await containers()).toEqual([...nodes, balancer]);
      },
      10 * minute,
    );

    it('is encrypted by each of its API servers, all with the same seed, as etcd shows', async () => {
      expect(await kind.json('verify', stack)).toMatchObject({
        resources: { secrets: { plaintext: 0 }, configmaps: { plaintext: 0 } },
        roundTrip: true,
      });
      const seeds = await Promise.all(
        nodes.map(async (node) => {
          const keystore = await kind.container('exec', node, 'cat', '/var/lib/kms-plugin/keystore.json');
          return (JSON.parse(keystore) as { seed: string }).seed;
        }),
      );
      expect(new Set(seeds).size).toBe(1);
      expect(await kind.json('status', stack)).toMatchObject({
        cluster: { ready: true, nodes: nodes.map((name) => ({ name, ready: true, hollow: false })) },
        plugins: nodes.map((node) => ({ node })),
        encryption: { type: 'KMS', encrypted: { status: 'True' } },
      });
      expect(await kind.kubectl(stack, 'get', 'secrets', '-A', '-o', 'name')).toContain('secret/');
    });

    /** One connection after the other goes to the next control plane in turn; none may fail, nor wait for one that is away. */
    const expectServed = async (): Promise<void> => {
      const get = ['get', 'namespace', 'default', '-o', 'name', '--request-timeout=5s'];
      for (let i = 0; i < 2 * nodes.length; i++) await kind.kubectl(stack, ...get);
    };

    it(
      'is served through the load balancer while a control plane is away, and starts that one and the load balancer again',
      async () => {
        const [, , last = ''] = nodes;
        await kind.container('stop', last);
        await expectServed();
        await kind.container('stop', '--time', '1', balancer);
        expect(await kind.json('up', stack)).toMatchObject({ changes: 0, nodes: 3, encryption: 'KMS' });
        await expectServed();
      },
      5 * minute,
    );

    it(
      'is served through the load balancer while the KMS of all control planes fails',
      async () => {
        const notReady = async (node: string): Promise<true> => {
          const ask = `kubectl --kubeconfig /etc/kubernetes/admin.conf --server https://${node}:6443 get --raw /readyz 2>&1 || true`;
          const status = await kind.container('exec', node, 'sh', '-c', ask);
          if (!status.includes('[-]kms-providers failed')) throw new Error(status);
          return true;
        };
        await kind.json('fault', 'set', 'error', '--code', 'UNAVAILABLE', '--stack', stack);
        for (const node of nodes) await eventually(`${node} not ready`, () => notReady(node), minute);
        await expectServed();
        await kind.json('fault', 'clear', '--stack', stack);
      },
      3 * minute,
    );

    it('goes with everything that it made', async () => {
      expect((await kind.run('down', stack)).code).toBe(0);
      expect(await containers()).toEqual([]);
      expect(await kind.container('images', '--quiet', balancerImage)).toBe('');
      expect(await readdir(join(kind.home.dir, 'clusters'))).toEqual([]);
    });
  },
);
