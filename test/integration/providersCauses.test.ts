import { beforeAll, expect, test, vi } from 'vitest';
import { waitFor } from '../../common/waitFor.ts';
import { itemsOf } from '../../providers/kubernetes/await/explanation.ts';
import { nameOf, stringAt } from '../../providers/kubernetes/objects.ts';
import type { PropertyMap } from '../../providers/protocol/values.ts';
import { driveProvider, labels, named, partialFailureOf } from './providerDriver.ts';

// Real controllers make the pods; there is no kubelet, and the tests say what one would.
const driver = driveProvider(['daemonset-controller']);
const daemonSet = 'apps/v1:DaemonSet';

const inputs = (podSpec: PropertyMap = {}): PropertyMap => ({
  ...named('agent'),
  spec: {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'c', image: 'nowhere.example/agent' }], ...podSpec },
    },
  },
});

beforeAll(async () => {
  await driver.api.create('/api/v1/nodes', { metadata: { name: 'node-1' } });
  // The API server lets each node begin as not ready.
  await driver.api.patch('/api/v1/nodes/node-1', { spec: { taints: null } });
});

/** The pod that the controller has made. */
const podMade = (): Promise<PropertyMap> =>
  waitFor(async () => itemsOf((await driver.api.get(driver.pathTo('pods', ''))) ?? {})[0], {
    what: 'a pod of the daemon set',
    timeoutMs: 20_000,
    next: 'read the log of kube-controller-manager',
  });

test('an image that is on no node ends the wait early, is told before, and is named', async () => {
  const created = partialFailureOf(driver.create(daemonSet, inputs(), { timeoutSeconds: 100 }));
  const name = nameOf(await podMade());
  const waiting = { reason: 'ErrImageNeverPull', message: 'Container image "nowhere.example/agent" is not present' };
  const container = { name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state: { waiting } };
  await driver.api.patch(`${driver.pathTo('pods', name)}/status`, { status: { containerStatuses: [container] } });
  const begin = performance.now();
  const { reasons, state } = await created;
  expect(performance.now() - begin).toBeLessThan(60_000);
  const problem = `pod ${name}: container c: ErrImageNeverPull: ${waiting.message}`;
  expect(reasons).toEqual([
    expect.stringMatching(/agent was not ready and will not get ready: 0 of 1 pods are/),
    problem,
  ]);
  expect(driver.log.status).toHaveBeenCalledWith(expect.any(String), problem);
  expect(state).toMatchObject({ outputs: { kind: 'DaemonSet' } });
});

test('what a pod crashes of and what it was warned of are named when the time is over', async () => {
  const created = partialFailureOf(driver.create(daemonSet, inputs(), { timeoutSeconds: 4 }));
  const pod = await podMade();
  const [name, uid] = [nameOf(pod), stringAt(pod, 'metadata', 'uid') ?? ''];
  const terminated = { reason: 'Error', exitCode: 3, startedAt: null, finishedAt: null };
  const container = { name: 'c', image: '', imageID: '', ready: false, restartCount: 1, state: { terminated } };
  await driver.api.create(driver.pathTo('events', ''), {
    metadata: { name: 'warned' },
    involvedObject: { kind: 'Pod', name, namespace: driver.namespace, uid },
    type: 'Warning',
    reason: 'FailedMount',
    message: 'MountVolume.SetUp failed for volume "a"',
  });
  await driver.api.patch(`${driver.pathTo('pods', name)}/status`, { status: { containerStatuses: [container] } });
  expect((await created).reasons).toEqual([
    expect.stringMatching(/agent was not ready after 4 s: 0 of 1 pods are ready/),
    `pod ${name}: container c: Error (exit code 3), restarted once`,
    `pod ${name}: event FailedMount: MountVolume.SetUp failed for volume "a"`,
  ]);
});

test('pods that may not be created are named by the refusal, while it is waited and at the end', async () => {
  await driver.api.patch(`/api/v1/namespaces/${driver.namespace}`, {
    metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
  });
  const created = partialFailureOf(driver.create(daemonSet, inputs({ hostNetwork: true }), { timeoutSeconds: 12 }));
  const refusal =
    /DaemonSet ns-\d+\/agent: event FailedCreate: Error creating: pods "agent-\w+" is forbidden: .*hostNetwork/;
  await vi.waitFor(
    () => expect(driver.log.status).toHaveBeenCalledWith(expect.any(String), expect.stringMatching(refusal)),
    10_000,
  );
  expect((await created).reasons).toEqual([expect.stringMatching(/0 of 1 pods are/), expect.stringMatching(refusal)]);
});
