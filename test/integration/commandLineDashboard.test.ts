import { afterAll, beforeAll, expect, test } from 'vitest';
import type { View } from '../../cli/dashboard/feed.ts';
import {
  type CommandLineCluster,
  stack,
  startCommandLineCluster,
  testCondition,
  testKey,
} from './commandLineCluster.ts';
import { type DashboardCommand, startDashboardCommand } from './dashboardCommand.ts';

let cluster: CommandLineCluster;
let dashboard: DashboardCommand;

beforeAll(async () => {
  cluster = await startCommandLineCluster();
  await cluster.roll(testKey(1, 'KMS'));
  dashboard = await startDashboardCommand(cluster.home);
});
afterAll(async () => {
  await dashboard?.end();
  await cluster?.stop();
});

/** What a page that is opened now gets first. */
const view = async (): Promise<View> => {
  const { body } = await fetch(new URL('events', dashboard.url));
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let told = '';
  while (!told.includes('\n\n')) told += (await reader?.read())?.value ?? '';
  await reader?.cancel();
  return JSON.parse(/^data: (.*)$/m.exec(told)?.[1] ?? '') as View;
};

const board = async () => (await view()).stacks.find(({ name }) => name === stack);

test('shows what a real API server tells, and the last of it when that is gone', async () => {
  await cluster.tell(testCondition('Encrypted', 'True', 'EncryptionCompleted'));
  await expect.poll(board, { timeout: 5_000 }).toMatchObject({
    state: 'seen',
    status: {
      encryption: { encrypted: { reason: 'EncryptionCompleted' }, keys: [{ id: '1', state: 'write' }] },
      cluster: { nodes: [{ name: 'a' }, { name: 'b' }] },
    },
  });
  await cluster.server.stop();
  await expect
    .poll(board, { timeout: 20_000 })
    .toMatchObject({ state: 'unreachable', status: { encryption: { encrypted: { reason: 'EncryptionCompleted' } } } });
});
