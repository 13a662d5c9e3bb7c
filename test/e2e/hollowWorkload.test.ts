import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boxOf } from './support/boxes.ts';
import { podsIn, podsOf } from './support/hollow.ts';
import { endHome, eventually, type Home, makeHome } from './support/home.ts';
import type { Kubectl } from './support/kubectl.ts';
import { bringUp } from './support/upStack.ts';

const stack = 'workload';
const realNode = `${stack}-control-plane`;
const simulated = 'simulated';
const usual = 'usual';

let home: Home;
let kubectl: Kubectl;
let pause: string;

const namespace = (name: string, annotations: Readonly<Record<string, string>> = {}): object => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, annotations },
});

const container = { name: 'main', image: 'registry.example/some/image:1.2.3' };

/** Of a controller's kind; its pods are labelled `app=<name>`. */
const workload = (
  kind: string,
  ns: string,
  name: string,
  spec: object,
  pod: object = {},
  containers: object[] = [container],
): object => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
  kind,
  metadata: { namespace: ns, name },
  spec: {
    ...(kind !== 'Job' && { selector: { matchLabels: { app: name } } }),
    ...spec,
    template: { metadata: { labels: { app: name } }, spec: { containers, ...pod } },
  },
});

const onEngine = (engine: string): object => ({ nodeSelector: { 'understudy.dev/hollow-engine': engine } });

beforeAll(async () => {
  home = await makeHome();
  const hollowNodes = [
    { name: 'real-kubelet', engine: 'kubemark', count: 2 },
    { name: 'light', engine: 'kwok', count: 3 },
  ];
  ({ kubectl } = await bringUp(home, stack, { hollowNodes }));
  pause = await kubectl(
    '-n',
    'openshift-etcd',
    'get',
    'daemonset',
    'etcd',
    '-o',
    'jsonpath={.spec.template.spec.containers[0].image}',
  );
  await kubectl.apply(namespace(simulated, { spoofed: 'true', spoofed_excluded_pods: '^gateway-' }), namespace(usual));
});

afterAll(() => endHome(home));

const areHollow = (nodes: readonly string[]): boolean => nodes.every((node) => node.startsWith('hollow-'));

describe('placement', () => {
  it('pods of an annotated namespace are on hollow nodes, all others never', async () => {
    await kubectl.apply(
      workload('Deployment', simulated, 'shop', { replicas: 6 }),
      workload('Deployment', simulated, 'gateway', { replicas: 2 }, {}, [
        { ...container, image: pause, imagePullPolicy: 'Never' },
      ]),
      workload('Deployment', usual, 'shop', { replicas: 2 }, { tolerations: [{ operator: 'Exists' }] }, [
        { ...container, image: pause, imagePullPolicy: 'Never' },
      ]),
    );
    const shop = await podsIn(kubectl, simulated, 'app=shop', 6);
    expect(areHollow(shop.map(({ node }) => node))).toBe(true);
    const excluded = await podsIn(kubectl, simulated, 'app=gateway', 2);
    expect(new Set(excluded.map(({ node }) => node))).toEqual(new Set([realNode]));
    const others = await podsIn(kubectl, usual, 'app=shop', 2);
    expect(new Set(others.map(({ node }) => node))).toEqual(new Set([realNode]));
  });

  it('a DaemonSet is on all hollow nodes or on all real ones, and add-ons that were there first stay off', async () => {
    const everywhere = { tolerations: [{ operator: 'Exists' }] };
    await kubectl.apply(
      workload('DaemonSet', simulated, 'agent', {}, everywhere),
      workload('DaemonSet', usual, 'agent', {}, everywhere, [{ ...container, image: pause, imagePullPolicy: 'Never' }]),
    );
    const hollow = await podsIn(kubectl, simulated, 'app=agent', 5);
    expect(new Set(hollow.map(({ node }) => node))).toEqual(
      new Set(['hollow-real-kubelet-0', 'hollow-real-kubelet-1', 'hollow-light-0', 'hollow-light-1', 'hollow-light-2']),
    );
    expect((await podsIn(kubectl, usual, 'app=agent', 1)).map(({ node }) => node)).toEqual([realNode]);
    for (const addOn of [
      'kube-system',
      'openshift-etcd',
      'openshift-kube-apiserver',
      'openshift-kms-plugin',
      'hollow-nodes',
    ]) {
      expect((await podsOf(kubectl, addOn)).filter(({ node }) => node !== realNode)).toEqual([]);
    }
  });

  it('an expression that is none is refused when the annotation is set', async () => {
    const { code, stderr } = await kubectl.try(
      'annotate',
      'ns',
      simulated,
      '--overwrite',
      'spoofed_excluded_pods=^gateway-,(',
    );
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/spoofed_excluded_pods.*missing closing \)/s);
  });
});

describe('what the engines do', () => {
  it('init containers and Jobs come to their end on kwok', async () => {
    const init = { initContainers: [{ ...container, name: 'prepare' }], ...onEngine('kwok') };
    await kubectl.apply(
      workload('Deployment', simulated, 'prepared', { replicas: 2 }, init),
      workload(
        'Job',
        simulated,
        'report',
        { completions: 3, parallelism: 3 },
        { restartPolicy: 'Never', ...onEngine('kwok') },
      ),
    );
    await podsIn(kubectl, simulated, 'app=prepared', 2);
    await podsIn(kubectl, simulated, 'app=report', 3, 'Succeeded');
    await kubectl('-n', simulated, 'wait', '--for=condition=Complete', 'job/report', '--timeout=30s');
  });

  it('on kubemark init containers and Jobs begin, and never end', async () => {
    const init = { initContainers: [{ ...container, name: 'prepare' }], ...onEngine('kubemark') };
    await kubectl.apply(
      workload('Deployment', simulated, 'waiting', { replicas: 1 }, init),
      workload('Job', simulated, 'endless', {}, { restartPolicy: 'Never', ...onEngine('kubemark') }),
    );
    await podsIn(kubectl, simulated, 'app=endless', 1);
    await eventually('an init container that runs', async () => {
      const path = 'jsonpath={.items[0].status.initContainerStatuses[0].state.running.startedAt}';
      return (await kubectl('-n', simulated, 'get', 'pods', '-l', 'app=waiting', '-o', path)) || undefined;
    });
    expect((await podsOf(kubectl, simulated, 'app=waiting')).map(({ phase }) => phase)).toEqual(['Pending']);
    expect((await podsOf(kubectl, simulated, 'app=endless')).map(({ phase }) => phase)).toEqual(['Running']);
  });

  it.each(['kubemark', 'kwok'])('a claim is bound and mounted on %s', async (engine) => {
    const name = `data-${engine}`;
    const storage = { accessModes: ['ReadWriteOnce'], storageClassName: name };
    await kubectl.apply(
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name },
        spec: { ...storage, capacity: { storage: '1Gi' }, hostPath: { path: `/data/${name}` } },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { namespace: simulated, name },
        spec: { ...storage, resources: { requests: { storage: '1Gi' } } },
      },
      workload(
        'StatefulSet',
        simulated,
        name,
        { replicas: 1, serviceName: name },
        { ...onEngine(engine), volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }] },
        [{ ...container, volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      ),
    );
    await podsIn(kubectl, simulated, `app=${name}`, 1);
    const claim = await kubectl('-n', simulated, 'get', 'pvc', name, '-o', 'jsonpath={.status.phase}');
    expect(claim).toBe('Bound');
  });
});

describe('nodes that go', () => {
  it.each(['hollow-real-kubelet-0', 'hollow-light-0'])('a drain of %s moves its pods', async (node) => {
    const { code, stderr } = await kubectl.try(
      'drain',
      node,
      '--ignore-daemonsets',
      '--delete-emptydir-data',
      '--force',
      '--timeout=60s',
    );
    expect(code, stderr).toBe(0);
    const shop = await podsIn(kubectl, simulated, 'app=shop', 6);
    expect(shop.map((pod) => pod.node)).not.toContain(node);
    await kubectl('uncordon', node);
  });

  it('a node whose kubelet hangs is lost, its pods move, and it comes back', async () => {
    const node = 'hollow-real-kubelet-1';
    const soon = ['not-ready', 'unreachable'].map((state) => ({
      key: `node.kubernetes.io/${state}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 1,
    }));
    await kubectl.apply(workload('Deployment', simulated, 'nimble', { replicas: 4 }, { tolerations: soon }));
    await podsIn(kubectl, simulated, 'app=nimble', 4);
    const box = await boxOf(home, stack, realNode);
    const pid = await box.pidWith(`--name=${node}`);
    if (pid === undefined) throw new Error('no kubemark of that name runs');
    process.kill(pid, 'SIGSTOP');
    const isReady = (): Promise<string> =>
      kubectl('get', 'node', node, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}');
    await eventually('the loss of the node', async () => ((await isReady()) === 'Unknown' ? true : undefined), 120_000);
    await eventually('its pods elsewhere', async () => {
      const pods = (await podsOf(kubectl, simulated, 'app=nimble')).filter((pod) => pod.node !== node);
      return pods.filter(({ phase }) => phase === 'Running').length === 4 ? true : undefined;
    });
    // Its liveness probe may have ended it meanwhile.
    if ((await box.pidWith(`--name=${node}`)) === pid) process.kill(pid, 'SIGCONT');
    await eventually('the node again', async () => ((await isReady()) === 'True' ? true : undefined), 180_000);
  });
});
