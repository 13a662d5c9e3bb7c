import { afterAll, beforeAll, expect, it } from 'vitest';
import { podsIn } from './support/hollow.ts';
import { endHome, eventually, type Home, makeHome } from './support/home.ts';
import type { Kubectl } from './support/kubectl.ts';
import { bringUp, type UpStack } from './support/upStack.ts';

const stack = 'admission';
const webhook = ['-n', 'hollow-nodes', 'deployment/admission-webhook'] as const;

let home: Home;
let up: UpStack;
let kubectl: Kubectl;
let pause: string;

beforeAll(async () => {
  home = await makeHome();
  const hollowNodes = [{ name: 'light', engine: 'kwok', count: 2 }];
  up = await bringUp(home, stack, { hollowNodes, placement: 'webhook', uids: 'openshift' });
  ({ kubectl } = up);
  const image = 'jsonpath={.spec.template.spec.containers[0].image}';
  pause = await kubectl('-n', 'openshift-etcd', 'get', 'daemonset', 'etcd', '-o', image);
  await kubectl.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'simulated', annotations: { spoofed: 'true' } } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'usual' } },
  );
});

afterAll(() => endHome(home));

const pod = (namespace: string, name: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name, labels: { app: name } },
  spec: { containers: [{ name: 'main', image: pause, imagePullPolicy: 'Never' }], ...more },
});

const field = (namespace: string, name: string, path: string): Promise<string> =>
  kubectl('-n', namespace, 'get', 'pod', name, '-o', `jsonpath={${path}}`);

it('a pod that must not be root and does not say who it is runs as the lowest UID of its namespace', async () => {
  await kubectl.apply(pod('usual', 'nonroot', { securityContext: { runAsNonRoot: true } }));
  const range = await kubectl(
    'get',
    'ns',
    'usual',
    '-o',
    'jsonpath={.metadata.annotations.openshift\\.io/sa\\.scc\\.uid-range}',
  );
  const [lowest] = range.split('/');
  expect(range).toMatch(/^1\d{9}\/10000$/);
  expect(JSON.parse(await field('usual', 'nonroot', '.spec.securityContext'))).toMatchObject({
    runAsUser: Number(lowest),
    fsGroup: Number(lowest),
  });
  await podsIn(kubectl, 'usual', 'app=nonroot', 1);
});

it('a pod that says who it is stays as it is', async () => {
  await kubectl.apply(pod('usual', 'somebody', { securityContext: { runAsNonRoot: true, runAsUser: 4711 } }));
  expect(JSON.parse(await field('usual', 'somebody', '.spec.securityContext'))).toEqual({
    runAsNonRoot: true,
    runAsUser: 4711,
  });
});

it('the webhook places pods as the policies do', async () => {
  await kubectl.apply(pod('simulated', 'shop'), pod('usual', 'shop', { tolerations: [{ operator: 'Exists' }] }));
  expect((await podsIn(kubectl, 'simulated', 'app=shop', 1))[0]?.node).toMatch(/^hollow-light-/);
  expect((await podsIn(kubectl, 'usual', 'app=shop', 1))[0]?.node).toBe(`${stack}-control-plane`);
});

it('it refuses an expression that is none when the annotation is set', async () => {
  const { code, stderr } = await kubectl.try('annotate', 'ns', 'simulated', 'spoofed_excluded_pods=(');
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/spoofed_excluded_pods.*missing closing \)/s);
});

it('an engine that looks again finds nothing to change', async () => {
  expect(await up.json('refresh', stack)).toMatchObject({ changes: 0 });
  expect(await up.json('up', stack)).toMatchObject({ changes: 0 });
});

it('while it is down only annotated namespaces wait; with it all goes on', async () => {
  await kubectl('-n', 'hollow-nodes', 'scale', 'deployment/admission-webhook', '--replicas=0');
  await podsIn(kubectl, 'hollow-nodes', 'app=admission-webhook', 0);
  await kubectl.apply(pod('usual', 'meanwhile', { securityContext: { runAsNonRoot: true } }));
  expect(JSON.parse(await field('usual', 'meanwhile', '.spec.securityContext'))).toEqual({ runAsNonRoot: true });
  const refused = await kubectl.try('-n', 'simulated', 'run', 'meanwhile', `--image=${pause}`);
  expect(refused.stderr).toMatch(/failed calling webhook/);
  await kubectl.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'simulated', name: 'unhindered' },
  });
  await kubectl('-n', 'hollow-nodes', 'scale', 'deployment/admission-webhook', '--replicas=1');
  await kubectl('rollout', 'status', ...webhook, '--timeout=60s');
  await eventually('a pod that is placed', async () => {
    const { code } = await kubectl.try('-n', 'simulated', 'run', 'afterwards', `--image=${pause}`);
    return code === 0 ? true : undefined;
  });
});

it('certificates that somebody deleted are made anew', async () => {
  await kubectl('-n', 'hollow-nodes', 'delete', 'secret', 'admission-webhook-tls');
  await kubectl('rollout', 'restart', ...webhook);
  await kubectl('rollout', 'status', ...webhook, '--timeout=60s');
  await eventually('a pod that is placed', async () => {
    const { code } = await kubectl.try('-n', 'simulated', 'run', 'anew', `--image=${pause}`);
    return code === 0 ? true : undefined;
  });
});
