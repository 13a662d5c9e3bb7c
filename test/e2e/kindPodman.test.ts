import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KindHome, makeKindHome, whyNoEngine } from './support/kind.ts';

const minute = 60_000;
const stack = 'pod';
const nodes = ['us-pod-control-plane', 'us-pod-worker'];

const lacking = await whyNoEngine();

describe.skipIf(lacking !== undefined)(
  `a kind stack in a Podman of its own${lacking ? ` (skipped: ${lacking})` : ''}`,
  () => {
    let kind: KindHome;

    beforeAll(async () => {
      kind = await makeKindHome('podman');
      await kind.container('load', '--input', kind.image.archive);
      await kind.writeStack(stack, { workers: 1, kind: { engine: 'podman' } });
    }, 15 * minute);

    afterAll(() => kind?.remove(), 2 * minute);

    const namesOf = async (what: readonly string[], field: string): Promise<readonly string[]> =>
      (await kind.container(...what, '--format', `{{.${field}}}`)).split('\n').filter(Boolean).sort();

    it(
      'comes up encrypted, as etcd shows',
      async () => {
        const { code, stdout, stderr } = await kind.run('up', stack);
        expect(code, stderr).toBe(0);
        expect(stdout).toContain('2 nodes Ready');
        expect(await namesOf(['ps', '--all'], 'Names')).toEqual(nodes);
        expect(await kind.json('verify', stack)).toMatchObject({
          resources: { secrets: { plaintext: 0 }, configmaps: { plaintext: 0 } },
          roundTrip: true,
        });
        expect(await kind.json('status', stack)).toMatchObject({
          cluster: { ready: true },
          encryption: { type: 'KMS', encrypted: { status: 'True' } },
        });
      },
      10 * minute,
    );

    it(
      'starts a node that was stopped',
      async () => {
        await kind.container('stop', '--time', '1', nodes[0] ?? '');
        expect(await kind.json('up', stack)).toMatchObject({ changes: 0, nodes: 2, encryption: 'KMS' });
      },
      5 * minute,
    );

    it('goes with everything that it made, volumes too, and nothing else', async () => {
      await kind.container('volume', 'create', 'bystander');
      expect((await kind.run('down', stack)).code).toBe(0);
      expect(await namesOf(['ps', '--all'], 'Names')).toEqual([]);
      expect(await namesOf(['network', 'ls'], 'Name')).toEqual(['podman']);
      expect(await namesOf(['volume', 'ls'], 'Name')).toEqual(['bystander']);
      expect(await readdir(join(kind.home.dir, 'clusters'))).toEqual([]);
    });
  },
);
