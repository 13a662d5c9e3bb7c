import { expect, test } from 'vitest';
import type { PropertyMap } from '../../protocol/values.ts';
import { explain, type Findings, logTail, newestWarning } from './explanation.ts';

const daemonSet = { kind: 'DaemonSet', metadata: { name: 'kms-plugin', namespace: 'kms' } };

const pod = (name: string, status: PropertyMap): PropertyMap => ({
  metadata: { name, namespace: 'kms' },
  spec: { nodeName: 'node-1' },
  status,
});

const event = (reason: string, message: string, lastTimestamp = '2026-01-01T00:00:00Z'): PropertyMap => ({
  reason,
  message,
  lastTimestamp,
});

const told = (findings: Partial<Findings>): string =>
  explain(daemonSet, { pods: [], others: 0, warnings: [], ...findings }).join('\n');

const crashed = pod('kms-plugin-x', {
  containerStatuses: [
    {
      name: 'kms-plugin',
      ready: false,
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container' } },
      lastState: { terminated: { reason: 'Error', exitCode: 1 } },
    },
  ],
});

test('a crash loop is told with its exit code and the last words of the container', () => {
  const log = '{"level":"info","msg":"starting"}\n{"level":"fatal","msg":"could not read keystore"}\n';
  const warnings = [event('BackOff', 'Back-off restarting failed container kms-plugin in pod kms-plugin-x')];
  expect(told({ pods: [{ pod: crashed, warnings, logs: new Map([['kms-plugin', log]]) }] })).toBe(
    `\
pod kms-plugin-x on node-1: container kms-plugin: CrashLoopBackOff: back-off 40s restarting failed container
pod kms-plugin-x on node-1: container kms-plugin: Error (exit code 1), restarted 3 times
last lines of container kms-plugin of pod kms-plugin-x:
  {"level":"info","msg":"starting"}
  {"level":"fatal","msg":"could not read keystore"}`,
  );
});

test('an image that cannot be pulled is told once, in the words of the event', () => {
  const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "nowhere.example/x"' };
  const noImage = pod('p', { containerStatuses: [{ name: 'c', ready: false, state: { waiting } }] });
  const warnings = [
    event('Failed', 'Failed to pull image "nowhere.example/x": no such host', '2026-01-01T00:00:01Z'),
    event('Failed', 'Error: ErrImagePull', '2026-01-01T00:00:02Z'),
  ];
  expect(told({ pods: [{ pod: noImage, warnings, logs: new Map() }] })).toBe(
    `\
pod p on node-1: container c: ImagePullBackOff: Back-off pulling image "nowhere.example/x"
pod p on node-1: event Failed: Failed to pull image "nowhere.example/x": no such host`,
  );
});

test('an unschedulable pod is told in the words of the scheduler, once', () => {
  const message = '0/1 nodes are available: 1 Insufficient memory.';
  const pending = {
    metadata: { name: 'p' },
    status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] },
  };
  const warnings = [event('FailedScheduling', message)];
  expect(told({ pods: [{ pod: pending, warnings, logs: new Map() }] })).toBe(`pod p: Unschedulable: ${message}`);
});

test('a volume that cannot be mounted is told by its event', () => {
  const creating = pod('p', {
    phase: 'Pending',
    containerStatuses: [{ name: 'c', ready: false, state: { waiting: { reason: 'ContainerCreating' } } }],
  });
  const warnings = [event('FailedMount', 'MountVolume.SetUp failed for volume "a" : secret "a" not found')];
  expect(told({ pods: [{ pod: creating, warnings, logs: new Map() }] })).toBe(
    'pod p on node-1: event FailedMount: MountVolume.SetUp failed for volume "a" : secret "a" not found',
  );
});

test('pods that cannot be created are told by the event of their workload', () => {
  const warnings = [event('FailedCreate', 'Error creating: pods "kms-plugin-x" is forbidden: violates PodSecurity')];
  expect(told({ warnings })).toBe(
    'DaemonSet kms/kms-plugin: event FailedCreate: Error creating: pods "kms-plugin-x" is forbidden: violates PodSecurity',
  );
});

test('a pod that says nothing is told of at least, and how many there are besides', () => {
  const silent = { pod: pod('p', { phase: 'Running' }), warnings: [], logs: new Map() };
  expect(told({ pods: [silent], others: 4 })).toBe('pod p on node-1: not ready, Running\n4 more pods are not ready');
});

test('the newest warning counts, whichever field its time is in', () => {
  const old = { ...event('Old', 'old'), lastTimestamp: null, eventTime: '2026-01-01T00:00:00Z' };
  const series = { ...event('New', 'new'), series: { lastObservedTime: '2026-01-01T00:00:05Z' } };
  expect(newestWarning([old, event('Middle', 'middle', '2026-01-01T00:00:03Z'), series])).toBe('New: new');
  expect(newestWarning([])).toBeUndefined();
  expect(newestWarning([event('FailedCreate', '(combined from similar events): no')])).toBe('FailedCreate: no');
});

test('a log is cut to its last ten lines of bounded length', () => {
  const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`);
  expect(logTail(`${lines.join('\n')}\n\n`)).toEqual(lines.slice(-10).map((line) => `  ${line}`));
  expect(logTail('x'.repeat(1000))[0]).toHaveLength(2 + 400 + 1);
  expect(logTail('')).toEqual([]);
});
