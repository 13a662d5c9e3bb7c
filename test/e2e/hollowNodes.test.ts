import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kubeClient } from '../../common/kubeClient.ts';
import { boxOf } from './support/boxes.ts';
import { certificateRequest } from './support/certificateRequest.ts';
import { groupHas, podsOf } from './support/hollow.ts';
import { endHome, eventually, type Home, makeHome } from './support/home.ts';
import type { Kubectl } from './support/kubectl.ts';
import { bringUp, type UpStack } from './support/upStack.ts';

const stack = 'hollow';
const node = `${stack}-control-plane`;
const small = {
  name: 'small',
  count: 3,
  cpu: 2,
  memory: '8Gi',
  pods: 50,
  extendedResources: { 'nvidia.com/gpu': 4 },
  labels: { 'topology.kubernetes.io/zone': 'a' },
  taints: ['dedicated=gpu:PreferNoSchedule'],
};
const big = { ...small, name: 'big', engine: 'kwok', count: 12 };

let home: Home;
let up: UpStack;
let kubectl: Kubectl;

beforeAll(async () => {
  home = await makeHome();
  up = await bringUp(home, stack, { hollowNodes: [small, big] });
  ({ kubectl } = up);
});

afterAll(() => endHome(home));

const names = (group: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `hollow-${group}-${index}`);

const nodeField = (name: string, path: string): Promise<string> =>
  kubectl('get', 'node', name, '-o', `jsonpath={${path}}`);

it.each(['small', 'big'])('nodes of group %s have what the settings say, and register as hollow', async (group) => {
  const name = `hollow-${group}-0`;
  for (const path of ['.status.capacity', '.status.allocatable']) {
    expect(JSON.parse(await nodeField(name, path))).toMatchObject({
      cpu: '2',
      memory: '8Gi',
      pods: '50',
      'nvidia.com/gpu': '4',
    });
  }
  expect(JSON.parse(await nodeField(name, '.metadata.labels'))).toMatchObject({
    spoofed: 'true',
    'topology.kubernetes.io/zone': 'a',
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
  });
  expect(JSON.parse(await nodeField(name, '.spec.taints'))).toEqual([
    { key: 'spoofed', value: 'true', effect: 'NoSchedule' },
    { key: 'dedicated', value: 'gpu', effect: 'PreferNoSchedule' },
  ]);
});

it('every kubemark node has an identity of its own, which the Node authorizer holds to its node', async () => {
  const requests = JSON.parse(await kubectl('get', 'csr', '-o', 'json')) as {
    readonly items: readonly { readonly spec: { readonly extra: Readonly<Record<string, readonly string[]>> } }[];
  };
  const pods = requests.items.flatMap(({ spec }) => spec.extra['authentication.kubernetes.io/pod-name'] ?? []);
  expect(pods.toSorted()).toEqual(names('small', 3));
  const as = (user: string, ...args: readonly string[]) =>
    kubectl.try(...args, '--as', user, '--as-group', 'system:nodes', '--as-group', 'system:authenticated');
  const own = await as('system:node:hollow-small-0', 'label', 'node', 'hollow-small-0', 'mine=yes');
  expect(own.code, own.stderr).toBe(0);
  const other = await as('system:node:hollow-small-0', 'label', 'node', 'hollow-small-1', 'mine=yes');
  expect(other.stderr).toMatch(/is not allowed to modify node|cannot (patch|get) resource/);
});

it('no pod of theirs has a credential of an administrator, or more than the right to ask for a certificate', async () => {
  const account = 'system:serviceaccount:hollow-nodes:hollow-node';
  const may = async (...what: readonly string[]): Promise<string> =>
    (await kubectl.try('auth', 'can-i', ...what, '--as', account)).stdout.trim();
  expect(await may('create', 'certificatesigningrequests')).toBe('yes');
  expect(await may('approve', 'signers', '--subresource=')).toBe('no');
  for (const resource of ['secrets', 'pods', 'nodes', 'configmaps']) expect(await may('get', resource)).toBe('no');
});

it('a pod that asks for the identity of another node is denied it', async () => {
  const token = await kubectl(
    ...['-n', 'hollow-nodes', 'create', 'token', 'hollow-node'],
    ...['--bound-object-kind=Pod', '--bound-object-name=hollow-small-0'],
  );
  const client = kubeClient({
    server: `https://${up.access.api.host}:${up.access.api.port}`,
    credentials: async () => ({
      ca: up.access.authorityCertificate,
      headers: { authorization: `Bearer ${token.trim()}` },
    }),
  });
  const name = 'not-its-own';
  const spec = {
    request: await certificateRequest(`system:node:${node}`, 'system:nodes'),
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    usages: ['digital signature', 'client auth'],
  };
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
  const kind = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest' };
  await client.send({ method: 'POST', path, body: { ...kind, metadata: { name }, spec } });
  client.close();
  const message = await eventually('the answer', async () => {
    const condition = 'jsonpath={.status.conditions[?(@.type=="Denied")].message}';
    return (await kubectl('get', 'csr', name, '-o', condition)) || undefined;
  });
  expect(message).toBe(
    `pod hollow-small-0 asks to be 'system:node:${node}'; it may be system:node:hollow-small-0 alone`,
  );
  expect(await kubectl('get', 'csr', name, '-o', 'jsonpath={.status.certificate}')).toBe('');
});

it('who tends hollow nodes may not touch a real one', async () => {
  const user = (account: string): string => `system:serviceaccount:hollow-nodes:${account}`;
  const taint = ['taint', 'node', node, 'a=b:NoSchedule', '--as', user('hollow-node-controller')];
  expect((await kubectl.try(...taint)).stderr).toMatch(/may not write to another one/);
  const remove = ['delete', 'node', node, '--as', user('hollow-node-controller')];
  expect((await kubectl.try(...remove)).stderr).toMatch(/may not write to another one/);
  for (const account of ['hollow-node-controller', 'kwok']) {
    const end = ['delete', 'pod', '-n', 'openshift-kms-plugin', '-l', 'app=kms-plugin', '--as', user(account)];
    expect((await kubectl.try(...end)).stderr).toMatch(/may not write to pods on another one/);
  }
});

it('status lists them apart', async () => {
  const status = await up.json('status', stack);
  expect(status.cluster).toMatchObject({
    ready: true,
    hollowGroups: [
      { name: 'big', engine: 'kwok', nodes: 12, ready: 12 },
      { name: 'small', engine: 'kubemark', nodes: 3, ready: 3 },
    ],
  });
  expect(status.cluster.nodes.filter(({ hollow }: { readonly hollow: boolean }) => !hollow)).toEqual([
    { name: node, ready: true, hollow: false },
  ]);
  const { stdout } = await home.run('status', stack);
  expect(stdout).toContain('  hollow nodes small (kubemark)  3, all Ready\n');
});

it('up again changes nothing', async () => {
  expect(await up.json('up', stack)).toMatchObject({ changes: 0, nodes: 1, hollowNodes: 15 });
});

it('a node that somebody deletes comes back', async () => {
  await kubectl('delete', 'node', 'hollow-big-3');
  await groupHas(kubectl, 'big', names('big', 12));
  await kubectl('delete', 'node', 'hollow-small-2');
  await groupHas(kubectl, 'small', names('small', 3));
});

it('a kubemark pod that dies is the same node again', async () => {
  await kubectl('-n', 'hollow-nodes', 'delete', 'pod', 'hollow-small-1', '--grace-period=0', '--force');
  await kubectl('-n', 'hollow-nodes', 'rollout', 'status', 'statefulset/hollow-small', '--timeout=60s');
  await groupHas(kubectl, 'small', names('small', 3));
});

it('nodes scale gives a group more and fewer nodes, and writes that into the stack file', async () => {
  const scaled = await home.run('nodes', 'scale', 'big', '20', '--stack', stack, '--json');
  expect(scaled.code, scaled.stderr).toBe(0);
  expect(JSON.parse(scaled.stdout)).toMatchObject({ hollowNodes: 23 });
  await groupHas(kubectl, 'big', names('big', 20));
  expect(await readFile(join(home.stacksDir, `Pulumi.${stack}.yaml`), 'utf8')).toContain('count: 20');
  const fewer = await home.run('nodes', 'scale', 'small', '1', '--stack', stack, '--json');
  expect(fewer.code, fewer.stderr).toBe(0);
  await groupHas(kubectl, 'small', names('small', 1));
  await eventually('the end of its lease', async () => {
    const leases = await kubectl('get', 'lease', '-n', 'kube-node-lease', '-o', 'name');
    return leases.includes('hollow-small-2') ? undefined : true;
  });
});

it('what is asked wrongly is refused and changes nothing', async () => {
  const refused = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await home.run('nodes', 'scale', ...args, '--stack', stack);
    expect(code).toBe(2);
    return stderr;
  };
  expect(await refused('huge', '3')).toMatch(/no group of that name; it has: small, big/);
  expect(await refused('small', '0')).toMatch(/it must be 1 at least; to have none, remove the group/);
  expect(await refused('small', 'many')).toMatch(/it is no whole number/);
  expect(await refused('small', '5000')).toMatch(/real nodes hold 102 of those: add 45 to workers/);
  await groupHas(kubectl, 'small', names('small', 1));
});

it('a kubelet that hangs while its group gets smaller holds nothing up', async () => {
  const more = await home.run('nodes', 'scale', 'small', '2', '--stack', stack);
  expect(more.code, more.stderr).toBe(0);
  const box = await boxOf(home, stack, node);
  const pid = await box.pidWith('--name=hollow-small-1');
  if (pid === undefined) throw new Error('no kubemark of that name runs');
  process.kill(pid, 'SIGSTOP');
  const fewer = await home.run('nodes', 'scale', 'small', '1', '--stack', stack);
  expect(fewer.code, fewer.stderr).toBe(0);
  await groupHas(kubectl, 'small', names('small', 1));
  expect((await podsOf(kubectl, 'hollow-nodes')).map(({ name }) => name)).not.toContain('hollow-small-1');
});

it('a group that leaves the settings takes its nodes with it', async () => {
  await home.writeStack(stack, { hollowNodes: [{ ...small, count: 1 }] });
  expect(await up.json('up', stack)).toMatchObject({ hollowNodes: 1 });
  await groupHas(kubectl, 'big', []);
  expect(await podsOf(kubectl, 'hollow-nodes', 'app=kwok')).toEqual([]);
});

it('with the last group goes all that simulated nodes, and every node', async () => {
  await home.writeStack(stack);
  expect(await up.json('up', stack)).toMatchObject({ hollowNodes: 0 });
  expect(await kubectl('get', 'nodes', '-o', 'name')).toBe(`node/${node}\n`);
  for (const kind of ['namespaces', 'validatingadmissionpolicies', 'mutatingadmissionpolicies', 'clusterroles']) {
    expect(await kubectl('get', kind, '-o', 'name')).not.toMatch(/hollow|placement/);
  }
});
