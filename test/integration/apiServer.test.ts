import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startApiServer } from './apiServer.ts';

test('an API server for tests is ready when it is handed out and leaves nothing', async () => {
  const server = await startApiServer();
  expect(server.kubeconfig).toContain(server.url);
  expect(existsSync(server.kubeconfigPath)).toBe(true);
  await server.stop();
  expect(existsSync(server.dir)).toBe(false);
});

test('an API server that cannot start says why', async () => {
  await expect(startApiServer({ flags: ['--no-such-flag=1'] })).rejects.toThrow(/unknown flag: --no-such-flag/);
});
