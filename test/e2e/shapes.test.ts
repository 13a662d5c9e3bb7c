import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAccess } from '../../cluster/access.ts';
import { readEtcd } from '../../cluster/etcd.ts';
import { type Box, boxOf } from './support/boxes.ts';
import { type ClusterMarks, endHome, eventually, type Home, makeHome, marksOf } from './support/home.ts';
import { createSecret, type Kubectl, kubectlFor, readSecret } from './support/kubectl.ts';
import { remainsOf } from './support/remains.ts';

const stack = 'wide';
const neighbour = 'beside';
/** Of a plain Kubernetes, without KMS. */
const bare = { openshift: false, encryption: 'aescbc' } as const;

let home: Home;
let kubectl: Kubectl;
let beside: Kubectl;

const up = async (name: string): Promise<void> => {
  const { code, stderr } = await home.run('up', name);
  expect(code, stderr).toBe(0);
};

const nodes = async (of: Kubectl): Promise<readonly string[]> =>
  (await of('get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ').sort();

const kill = async (box: Box): Promise<void> => {
  const pid = await box.pid();
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
  await eventually(`the end of ${box.node}`, async () => ((await box.processes()).length === 0 ? true : undefined));
};

beforeAll(async () => {
  home = await makeHome();
  await home.writeStack(stack, { controlPlanes: 3, workers: 1 });
  await home.writeStack(neighbour, bare);
  await up(stack);
  kubectl = await kubectlFor(home, stack);
});

afterAll(() => endHome(home));

it('three control planes and a worker are Ready, and what one API server writes all can read', async () => {
  expect(await nodes(kubectl)).toEqual([
    'wide-control-plane',
    'wide-control-plane2',
    'wide-control-plane3',
    'wide-worker',
  ]);
  await createSecret(kubectl, 'first', 'plain');
  for (const node of ['wide-control-plane', 'wide-control-plane2', 'wide-control-plane3']) {
    const { network } = await marksOf(home, stack);
    const host = `${network}.${11 + (Number(node.at(-1)) || 1) - 1}`;
    expect(await kubectl('--server', `https://${host}:6443`, 'get', 'secrets', '-o', 'name')).toContain('secret/first');
  }
  const { code, stdout } = await home.run('verify', stack, '--json');
  expect(code, stdout).toBe(0);
  expect(Object.keys(JSON.parse(stdout).resources.secrets.byKekID)).toHaveLength(1);
});

it('a second cluster comes up beside it, on a network of its own', async () => {
  await up(neighbour);
  beside = await kubectlFor(home, neighbour);
  expect(await nodes(beside)).toEqual(['beside-control-plane']);
  expect((await marksOf(home, neighbour)).network).not.toBe((await marksOf(home, stack)).network);
});

it('is encrypted as its settings say, in an etcd of their shape', async () => {
  const { code, stdout } = await home.run('verify', neighbour, '--json');
  expect(code, stdout).toBe(0);
  expect(JSON.parse(stdout).resources).toMatchObject({ secrets: { byKey: { 1: expect.any(Number) }, byKekID: {} } });
  const access = await readAccess(home.clusterDir(neighbour));
  if (access === undefined) throw new Error('no access.json after up');
  for await (const { key } of readEtcd(access, '/')) expect(key).toMatch(/^\/registry\//);
  expect((await beside.try('get', 'namespace', 'openshift-etcd')).stderr).toContain('NotFound');
});

it('with one control plane killed the API goes on through the others, and up brings it back', async () => {
  await kill(await boxOf(home, stack, 'wide-control-plane'));
  await eventually('the API without one control plane', async () => {
    await kubectl.try('delete', 'secret', 'meanwhile');
    await createSecret(kubectl, 'meanwhile', 'written without it');
    expect(await readSecret(kubectl, 'meanwhile')).toBe('written without it');
    return true;
  });
  await up(stack);
  expect(await readSecret(kubectl, 'meanwhile')).toBe('written without it');
  const { code, stdout, stderr } = await home.run('verify', stack);
  expect(code, stdout + stderr).toBe(0);
});

it('workers come and go with their setting, and their nodes with them', async () => {
  await home.writeStack(neighbour, { ...bare, workers: 2 });
  await up(neighbour);
  expect(await nodes(beside)).toEqual(['beside-control-plane', 'beside-worker', 'beside-worker2']);
  await home.writeStack(neighbour, bare);
  await up(neighbour);
  expect(await nodes(beside)).toEqual(['beside-control-plane']);
  const worker = await boxOf(home, neighbour, 'beside-worker');
  expect(await worker.processes()).toEqual([]);
});

it('refuses another number of control planes before it changes anything', async () => {
  await home.writeStack(stack, { controlPlanes: 1, workers: 1 });
  const { code, stderr } = await home.run('up', stack);
  expect(code).toBe(1);
  expect(stderr).toContain('could not change cluster wide from 3 to 1 control-plane nodes');
  expect(stderr).toContain("next: run 'understudy down wide' and then 'understudy up wide'");
  await home.writeStack(stack, { controlPlanes: 3, workers: 1 });
  const again = await home.run('up', stack, '--json');
  expect(JSON.parse(again.stdout)).toMatchObject({ changes: 0 });
});

it('one goes down and leaves nothing, the other does not notice', async () => {
  const marks: ClusterMarks = await marksOf(home, stack);
  const { code, stderr } = await home.run('down', stack);
  expect(code, stderr).toBe(0);
  expect(await remainsOf(home, stack, marks)).toEqual([]);
  expect((await home.run('verify', neighbour)).code).toBe(0);
});
