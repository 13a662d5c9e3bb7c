import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../common/waitFor.ts';
import { type AdmissionBench, createNamespace, startAdmissionBench, type Webhook } from './admissionRun.ts';

const label = 'understudy.dev/spoofed';
let bench: AdmissionBench;
let webhook: Webhook;

interface Placed {
  readonly spec: {
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly tolerations?: readonly object[];
    readonly affinity?: object;
  };
}

let pods = 0;
const createPod = (namespace: string, name = `pod-${pods++}`): Promise<Placed> =>
  bench.client.send({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods`,
    body: { metadata: { name }, spec: { containers: [{ name: 'a', image: 'a' }] } },
  });

const annotate = (namespace: string, annotations: object): Promise<unknown> =>
  bench.client.send({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}`,
    body: { metadata: { annotations } },
    contentType: 'application/merge-patch+json',
  });

const labelOf = async (namespace: string): Promise<string | undefined> => {
  const path = `/api/v1/namespaces/${namespace}`;
  const { metadata } = await bench.client.send<{ metadata: { labels?: Record<string, string> } }>({
    method: 'GET',
    path,
  });
  return metadata.labels?.[label];
};

const isHollow = ({ spec }: Placed): boolean => {
  expect(spec.nodeSelector === undefined).toBe(spec.affinity !== undefined);
  return spec.nodeSelector?.spoofed === 'true';
};

/** The API server calls it again, which it may not do at once after it had none. */
const whenPlacing = (): Promise<unknown> =>
  waitFor(async () => (await createPod('real')).spec.affinity, {
    what: 'a pod that is placed',
    timeoutMs: 20_000,
    intervalMs: 50,
    next: webhook.said(),
  });

beforeAll(async () => {
  bench = await startAdmissionBench();
  await createNamespace(bench.client, 'early', { spoofed: 'true' });
  await createNamespace(bench.client, 'real');
  await bench.configure({ uids: 'off', placement: true });
  webhook = bench.run('--placement');
  await whenPlacing();
});

afterAll(() => bench.stop());

test('pods of annotated namespaces go to hollow nodes, those excluded and all others do not', async () => {
  await createNamespace(bench.client, 'hollow', { spoofed: 'true', spoofed_excluded_pods: '^real-' });
  expect(await labelOf('hollow')).toBe('true');
  expect(isHollow(await createPod('hollow'))).toBe(true);
  expect(isHollow(await createPod('hollow', 'real-one'))).toBe(false);
  expect(isHollow(await createPod('real'))).toBe(false);
  const daemonSet = await bench.client.send<{ spec: { template: Placed } }>({
    method: 'POST',
    path: '/apis/apps/v1/namespaces/hollow/daemonsets',
    body: {
      metadata: { name: 'd' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a' }] } },
      },
    },
  });
  expect(isHollow(daemonSet.spec.template)).toBe(true);
});

test('pods that come with their namespace are placed by it', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `moment-${i}`);
  const placed = await Promise.all(
    names.map(async (name, i) => {
      await createNamespace(bench.client, name, i % 2 === 0 ? { spoofed: 'true' } : {});
      return createPod(name);
    }),
  );
  expect(placed.map(isHollow)).toEqual(names.map((_, i) => i % 2 === 0));
});

test('a namespace that was annotated before there was a webhook is labelled, and one whose annotation goes is so no more', async () => {
  const see = (wanted: string | undefined) =>
    waitFor(async () => ((await labelOf('early')) === wanted ? true : undefined), {
      what: `the label ${wanted}`,
      timeoutMs: 10_000,
      intervalMs: 20,
      next: webhook.said(),
    });
  await see('true');
  await annotate('early', { spoofed: null });
  expect(await labelOf('early')).toBeUndefined();
});

test('an invalid expression is refused when it is set', async () => {
  const message = /spoofed_excluded_pods has an invalid expression '\('/;
  await expect(annotate('real', { spoofed_excluded_pods: '(' })).rejects.toThrow(message);
  await expect(createNamespace(bench.client, 'invalid', { spoofed_excluded_pods: '(' })).rejects.toThrow(message);
});

test('while it is down only pods of annotated namespaces stand still, and afterwards nothing does', async () => {
  await createNamespace(bench.client, 'waits', { spoofed: 'true' });
  webhook.child.kill('SIGKILL');
  await webhook.ended;
  const begun = performance.now();
  await expect(createPod('waits')).rejects.toThrow(/failed calling webhook "placement-hollow/);
  expect((await createPod('real')).spec.affinity).toBeUndefined();
  await createPod('kube-system');
  // Neither can a label lock out what has to run.
  const body = { metadata: { labels: { [label]: 'true' } } };
  const contentType = 'application/merge-patch+json';
  await bench.client.send({ method: 'PATCH', path: '/api/v1/namespaces/kube-system', body, contentType });
  await createPod('kube-system');
  // Annotated while nobody labels it, and with an expression that nobody refuses.
  await annotate('real', { spoofed: 'true', spoofed_excluded_pods: '(' });
  expect(performance.now() - begun).toBeLessThan(5_000);
  webhook = bench.run('--placement');
  const pod = await waitFor(() => createPod('waits'), {
    what: 'a pod',
    timeoutMs: 20_000,
    intervalMs: 50,
    next: webhook.said(),
  });
  expect(isHollow(pod)).toBe(true);
  await expect(createPod('real')).rejects.toThrow(/correct the annotation spoofed_excluded_pods/);
  await annotate('real', { spoofed_excluded_pods: null });
  await waitFor(async () => (isHollow(await createPod('real')) ? true : undefined), {
    what: 'a pod on hollow nodes',
    timeoutMs: 5_000,
    intervalMs: 20,
    next: webhook.said(),
  });
});
