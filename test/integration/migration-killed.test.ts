import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { exec } from '../../common/exec.ts';
import { type EncryptedApiServer, startEncryptedApiServer } from './encryptedApiServer.ts';
import { createSecrets } from './migrationSubject.ts';

const count = 6_000;
const program = join(import.meta.dirname, 'migration.process.ts');
const lease =
  '/apis/coordination.k8s.io/v1/namespaces/openshift-kube-apiserver-operator/leases/encryption-migration-core-secrets';

const leaseShape = z.object({
  metadata: z.object({ annotations: z.object({ 'understudy.dev/migration': z.string() }) }),
});
const progressShape = z.object({ last: z.string(), done: z.number() });

/** What a killed operator leaves behind. */
const progressOf = (found: unknown): z.infer<typeof progressShape> =>
  progressShape.parse(JSON.parse(leaseShape.parse(found).metadata.annotations['understudy.dev/migration']));

const killedOnItsWay = async ({ kube, operatorKubeconfigPath }: EncryptedApiServer): Promise<void> => {
  const child = spawn(process.execPath, [program, operatorKubeconfigPath, '2'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    await kube.see(lease, (found) => progressOf(found).last !== '');
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
};

test('a killed operator does not begin at zero', async () => {
  const server = await startEncryptedApiServer();
  try {
    await createSecrets(server, count);
    await server.writeWith(2);
    await killedOnItsWay(server);
    const { last, done } = progressOf(await server.kube.get(lease));
    expect(last).toMatch(/^default\/secret-\d+$/);
    expect(done).toBeGreaterThan(0);
    expect(await server.storedBy('secrets')).toHaveProperty('1_secrets');

    const before = await server.revision();
    const output = await exec(process.execPath, [program, server.operatorKubeconfigPath, '2']);
    expect(JSON.parse(output)).toMatchObject({
      migrations: [{ outcome: 'succeeded', done: count, total: count }, { outcome: 'succeeded' }],
    });
    expect((await server.revision()) - before).toBeLessThan(count - done + 50);
    expect(await server.storedBy('secrets')).toEqual({ '2_secrets': count });
  } finally {
    await server.stop();
  }
});
