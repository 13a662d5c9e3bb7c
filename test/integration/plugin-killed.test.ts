import { watch } from 'node:fs';
import { access, mkdir, readFile } from 'node:fs/promises';
import { beforeEach, expect, test } from 'vitest';
import { parseKeystore } from '../../plugin/keystore.ts';
import { createWorkplace, kmsClient, runPlugin, startPlugin, type Workplace } from './plugin.process.ts';

let workplace: Workplace;

beforeEach(async () => {
  workplace = await createWorkplace();
  await mkdir(workplace.keystoreDir);
  return workplace.remove;
});

const keystoreText = (): Promise<string | undefined> =>
  access(workplace.keystore).then(
    () => readFile(workplace.keystore, 'utf8'),
    () => undefined,
  );

/** Starts a plugin and kills it with -9 at the nth change in its keystore's directory. */
const killAtChange = async (nth: number): Promise<void> => {
  const watcher = watch(workplace.keystoreDir);
  const plugin = runPlugin(workplace, [
    `--listen-addr=unix://${workplace.socket}`,
    `--keystore-dir=${workplace.keystoreDir}`,
  ]);
  let changes = 0;
  watcher.on('change', () => {
    changes++;
    if (changes === nth) plugin.process.kill('SIGKILL');
  });
  await Promise.race([plugin.ended, plugin.said('serving KMS v2').catch(() => {})]);
  await plugin.stop('SIGKILL');
  watcher.close();
};

test.each([1, 2, 3, 4, 5, 6, 7, 8])('kill -9 at change %i while the keystore is made', async (nth) => {
  await killAtChange(nth);
  const left = await keystoreText();
  // Whole or not there; and once there, it stays.
  if (left !== undefined) expect(parseKeystore(left).seed).toHaveLength(32);
  const plugin = await startPlugin(workplace);
  const client = kmsClient(workplace.socket);
  const encrypted = await client.encrypt(Buffer.from('seed'));
  expect(await client.decrypt(encrypted)).toEqual(Buffer.from('seed'));
  client.close();
  if (left !== undefined) expect(await keystoreText()).toBe(left);
  expect((await plugin.stop()).code).toBe(0);
});

test('kill -9 again and again, at any moment of a start', async () => {
  let known: string | undefined;
  for (let ms = 20; ms <= 120; ms += 5) {
    const plugin = runPlugin(workplace, [
      `--listen-addr=unix://${workplace.socket}`,
      `--keystore-dir=${workplace.keystoreDir}`,
    ]);
    await new Promise((resolve) => setTimeout(resolve, ms));
    await plugin.stop('SIGKILL');
    const now = await keystoreText();
    if (known !== undefined) expect(now).toBe(known);
    known = now;
  }
  expect((await (await startPlugin(workplace)).stop()).code).toBe(0);
});
