import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderReports } from '../../common/kmsHealth.ts';
import { entry, pinnedNode } from '../e2e/support/home.ts';
import {
  type CommandLineCluster,
  paths,
  stack,
  startCommandLineCluster,
  testCondition,
  testKey,
} from './commandLineCluster.ts';

let cluster: CommandLineCluster;
const keys = { 1: { version: 1, keyID: 'kek-1' } };

beforeAll(async () => {
  cluster = await startCommandLineCluster();
  await cluster.roll(testKey(1, 'KMS'));
  await cluster.report(keys);
});
afterAll(() => cluster?.stop());

const faults = async (): Promise<Readonly<Record<string, object>>> =>
  ((await cluster.api.get(paths.backend)) as { spec: { faults?: Record<string, object> } }).spec.faults ?? {};

/** Runs a command while the installers do their part. */
const whileInstalled = async (...args: readonly string[]) => {
  const before = ((await cluster.api.get(paths.backend)) as { metadata: { generation: number } }).metadata.generation;
  const running = cluster.home.start(...args);
  await cluster.api.see(
    paths.backend,
    ({ metadata }) => (metadata as unknown as { generation: number }).generation > before,
  );
  await cluster.report(keys);
  return running.finished;
};

test('a fault is set, listed and cleared, each once the nodes say that they know', async () => {
  const set = await whileInstalled(
    ...['fault', 'set', 'latency', '--stack', stack, '--milliseconds', '300', '--key', '1', '--for', '60s', '--json'],
  );
  expect(set.code, set.stderr).toBe(0);
  expect(JSON.parse(set.stdout)).toMatchObject({
    fault: { name: 'latency', state: 'active', kind: 'latency', milliseconds: 300, key: 1 },
    nodes: ['a', 'b'],
  });
  const again = await whileInstalled('fault', 'set', 'latency', '--stack', stack, '--milliseconds', '5', '--node', 'b');
  expect(again.stdout).toMatch(/^In force on b: latency-2 {2}latency milliseconds 5 {2}every key, b {2}until cleared/);

  const list = await cluster.home.run('fault', 'list', '--stack', stack);
  expect(list.stdout).toMatch(
    /^latency {2}latency milliseconds 300 {2}key 1, every node {2}(1m00|\d\d?)s left\nlatency-2 /,
  );

  const cleared = await whileInstalled('fault', 'clear', 'latency', '--stack', stack);
  expect([cleared.code, cleared.stdout]).toEqual([0, 'Cleared: latency\n']);
  expect(Object.keys(await faults())).toEqual(['latency-2']);
  await whileInstalled('fault', 'clear', '--stack', stack);
  expect(await faults()).toEqual({});
  const none = await cluster.home.run('fault', 'clear', '--stack', stack);
  expect([none.code, none.stdout]).toEqual([0, 'There is no fault.\n']);
});

test('a fault of the same name is replaced whole, and one that has ended is forgotten', async () => {
  await cluster.api.patch(paths.backend, {
    spec: {
      faults: {
        old: { kind: 'hang', until: '2020-01-01T00:00:00Z' },
        mine: { kind: 'error', code: 'INTERNAL', message: 'x' },
      },
    },
  });
  const list = await cluster.home.run('fault', 'list', '--stack', stack, '--json');
  expect(JSON.parse(list.stdout).faults).toMatchObject([
    { name: 'mine', state: 'active' },
    { name: 'old', state: 'ended' },
  ]);
  const set = await whileInstalled('fault', 'set', 'hang', '--stack', stack, '--name', 'mine');
  expect(set.code, set.stderr).toBe(0);
  expect(await faults()).toEqual({ mine: { kind: 'hang' } });
  await whileInstalled('fault', 'clear', '--stack', stack);
});

test('what is not there is refused, with what is', async () => {
  const node = await cluster.home.run('fault', 'set', 'hang', '--stack', stack, '--node', 'c');
  expect([node.code, node.stderr]).toEqual([
    2,
    expect.stringMatching(/no control-plane node 'c'\n {2}next: name one of a, b/),
  ]);
  const key = await cluster.home.run('fault', 'set', 'hang', '--stack', stack, '--key', '7');
  expect([key.code, key.stderr]).toEqual([2, expect.stringMatching(/no KMS key 7\n {2}next: name one of 0, 1/)]);
  const name = await cluster.home.run('fault', 'clear', 'nosuch', '--stack', stack);
  expect([name.code, name.stderr]).toEqual([2, expect.stringMatching(/there is no fault at all/)]);
  expect(await faults()).toEqual({});
});

test('a node that does not take a fault over is named', async () => {
  const { code, stderr, seconds } = await cluster.home.run('fault', 'set', 'hang', '--stack', stack);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/within 30 s: it is asked for, but not yet in force on a, b/),
  ]);
  expect(stderr).toMatch(/^ *5\.\ds .*not yet: it is asked for, but not yet in force on a, b$/m);
  expect(seconds).toBeLessThan(45);
  await whileInstalled('fault', 'clear', '--stack', stack);
});

test('status tells of encryption, plugins, what is out of order, and faults', async () => {
  await cluster.api.patch(paths.backend, {
    spec: { faults: { stuck: { kind: 'hang' }, old: { kind: 'hang', until: '2020-01-01T00:00:00Z' } } },
  });
  await cluster.api.create('/api/v1/namespaces', { metadata: { name: 'openshift-kms-plugin' } });
  await cluster.api.create('/api/v1/namespaces/openshift-kms-plugin/serviceaccounts', {
    metadata: { name: 'default' },
  });
  const pods = '/api/v1/namespaces/openshift-kms-plugin/pods';
  const labels = { app: 'kms-plugin' };
  const containers = [{ name: 'kms-plugin', image: 'x' }];
  await cluster.api.create(pods, { metadata: { name: 'kms-plugin-a', labels }, spec: { nodeName: 'a', containers } });
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
  await cluster.api.patch(`${pods}/kms-plugin-a/status`, { status: ready });
  for (const node of ['a', 'b']) await cluster.api.patch(`/api/v1/nodes/${node}/status`, { status: ready });
  const report = { keyID: '1', kekID: 'kek-1', status: 'healthy', lastChecked: new Date().toISOString() } as const;
  await cluster.tell(
    testCondition('Encrypted', 'False', 'EncryptionInProgress', 'Resource secrets is being encrypted'),
    testCondition('EncryptionStateControllerDegraded', 'True', 'Error', 'damaged'),
    testCondition('KMSHealthReporter_a', 'True', 'AsExpected', renderReports([report])),
  );
  const { code, stdout, stderr } = await cluster.home.run('status', stack, '--json');
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    stack,
    platform: 'local',
    cluster: {
      ready: true,
      version: expect.stringMatching(/^v1\./),
      nodes: [
        { name: 'a', ready: true, hollow: false },
        { name: 'b', ready: true, hollow: false },
      ],
      hollowGroups: [],
    },
    encryption: {
      type: 'identity',
      encrypted: { status: 'False', reason: 'EncryptionInProgress', message: 'Resource secrets is being encrypted' },
      writeKey: '1',
      keys: [{ id: '1', mode: 'KMS', state: 'write', migrated: true }],
      migration: null,
    },
    plugins: [{ node: 'a', ...report, detail: '' }],
    degraded: {
      status: 'True',
      reason: 'EncryptionStateController_Error',
      message: 'EncryptionStateControllerDegraded: damaged',
    },
    faults: [{ name: 'stuck', state: 'active', kind: 'hang' }],
  });
});

test('status --watch tells each change in a line, that the API server is away too, and ends well on Ctrl-C', async () => {
  const args = [entry, 'status', stack, '--watch', '--json'];
  const child = spawn(pinnedNode, args, { env: cluster.home.env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const nextReason = async (): Promise<string> =>
    JSON.parse((await lines.next()).value ?? 'null').encryption.encrypted.reason;
  expect(await nextReason()).toBe('EncryptionInProgress');
  await cluster.tell(testCondition('Encrypted', 'True', 'EncryptionCompleted'));
  expect(await nextReason()).toBe('EncryptionCompleted');
  await cluster.server.stop();
  expect(await nextReason()).toBe('ApiServerUnreachable');
  child.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  expect((await cluster.home.run('status', stack)).code).toBe(1);
});
