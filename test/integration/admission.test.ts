import { afterAll, beforeAll, expect, test } from 'vitest';
import { followNamespaces } from '../../admission/namespaces/follow.ts';
import { noMaterial, renderMaterial, renewMaterial } from '../../admission/tls/material.ts';
import { createAllocator } from '../../admission/uids/allocator.ts';
import { createLog } from '../../common/log.ts';
import { waitFor } from '../../common/waitFor.ts';
import {
  type AdmissionBench,
  annotationsOf,
  createNamespace,
  createPod,
  startAdmissionBench,
  type TestPod,
  type Webhook,
  whenGivingUids,
} from './admissionRun.ts';

const uidRange = 'openshift.io/sa.scc.uid-range';
let bench: AdmissionBench;
let webhook: Webhook;

const seeRange = (namespace: string): Promise<string> =>
  waitFor(async () => (await annotationsOf(bench.client, namespace))[uidRange], {
    what: `the range of ${namespace}`,
    timeoutMs: 20_000,
    intervalMs: 20,
    next: webhook.said(),
  });

const firstOf = (range: string): number => Number(range.split('/')[0]);

beforeAll(async () => {
  bench = await startAdmissionBench();
  await createNamespace(bench.client, 'team');
  await bench.configure({ uids: 'openshift', placement: false });
  webhook = bench.run('--uids=openshift');
  await whenGivingUids(bench.client, 'team', webhook);
});

afterAll(() => bench.stop());

test('every namespace is given a range of its own, the lowest ones, as OpenShift writes them', async () => {
  const names = ['two', 'three', 'four', 'five'];
  await Promise.all(names.map((name) => createNamespace(bench.client, name)));
  const { items } = await bench.client.send<{ items: readonly { metadata: { name: string } }[] }>({
    method: 'GET',
    path: '/api/v1/namespaces',
  });
  const ranges = await Promise.all(items.map(({ metadata }) => seeRange(metadata.name)));
  const lowest = items.map((_, i) => `${1_000_000_000 + i * 10_000}/10000`);
  expect([...ranges].sort()).toEqual(lowest);
  const annotations = await annotationsOf(bench.client, 'two');
  expect(annotations['openshift.io/sa.scc.supplemental-groups']).toBe(annotations[uidRange]);
  expect(annotations['openshift.io/sa.scc.mcs']).toMatch(/^s0:c\d+,c\d+$/);
});

test('a pod that comes in the same moment as its namespace has its UID', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `moment-${i}`);
  const created = await Promise.all(
    names.map(async (name) => {
      await createNamespace(bench.client, name);
      return createPod(bench.client, name);
    }),
  );
  const ranges = await Promise.all(names.map(seeRange));
  expect(new Set(ranges).size).toBe(names.length);
  for (const [i, { spec }] of created.entries()) {
    const uid = firstOf(ranges[i] ?? '');
    expect(spec.securityContext).toEqual({ runAsNonRoot: true, runAsUser: uid, fsGroup: uid });
  }
});

test('pods and containers that say who they are stay as they are', async () => {
  const uid = firstOf(await seeRange('team'));
  const own: TestPod['spec'] = {
    securityContext: { runAsNonRoot: true, runAsUser: 7 },
    containers: [{ name: 'a', image: 'a' }],
  };
  expect((await createPod(bench.client, 'team', own)).spec).toMatchObject(own);
  const mixed = await createPod(bench.client, 'team', {
    initContainers: [{ name: 'i', image: 'i', securityContext: { runAsNonRoot: true } }],
    containers: [
      { name: 'a', image: 'a' },
      { name: 'b', image: 'b', securityContext: { runAsNonRoot: true, runAsUser: 9 } },
    ],
  });
  expect(mixed.spec.securityContext).toEqual({ fsGroup: uid });
  expect(mixed.spec.initContainers?.[0]?.securityContext).toEqual({ runAsNonRoot: true, runAsUser: uid });
  expect(mixed.spec.containers.map(({ securityContext }) => securityContext?.runAsUser)).toEqual([undefined, 9]);
  await createNamespace(bench.client, 'annotated', { [uidRange]: '5000-5999' });
  expect((await createPod(bench.client, 'annotated')).spec.securityContext?.runAsUser).toBe(5000);
});

test('an annotation that is no range costs its pods their UID, and nothing else', async () => {
  await createNamespace(bench.client, 'wrong', { [uidRange]: 'all of them' });
  expect((await createPod(bench.client, 'wrong')).spec.securityContext).toEqual({ runAsNonRoot: true });
  await waitFor(async () => (webhook.said().includes("'all of them' is not <start>/<size>") ? true : undefined), {
    what: 'a warning',
    timeoutMs: 5_000,
    next: webhook.said(),
  });
});

test('an ephemeral container of a pod that runs gets the UID too', async () => {
  const uid = firstOf(await seeRange('team'));
  const { metadata } = await createPod(bench.client, 'team', {
    containers: [{ name: 'a', image: 'a', securityContext: { runAsNonRoot: true } }],
  });
  const attach = (container: object) =>
    bench.client.send<TestPod>({
      method: 'PATCH',
      path: `/api/v1/namespaces/team/pods/${metadata.name}/ephemeralcontainers`,
      body: { spec: { ephemeralContainers: [container] } },
      contentType: 'application/strategic-merge-patch+json',
    });
  await attach({ name: 'root', image: 'a' });
  const { spec } = await attach({ name: 'debug', image: 'a', securityContext: { runAsNonRoot: true } });
  const ephemeral = Object.fromEntries(spec.ephemeralContainers?.map((one) => [one.name, one.securityContext]) ?? []);
  expect(ephemeral).toEqual({ root: undefined, debug: { runAsNonRoot: true, runAsUser: uid } });
});

test('a dry run writes nothing, and a block is free again with its namespace', async () => {
  const controller = new AbortController();
  const log = createLog('silent');
  // As the process has them, but without its loop.
  const namespaces = followNamespaces(bench.client, log, controller.signal);
  const allocator = createAllocator({ namespaces, client: bench.client, log });
  webhook.child.kill('SIGSTOP');
  await createNamespace(bench.client, 'dry');
  const { signal } = controller;
  const would = await allocator.annotationsFor('dry', true, signal);
  expect(await annotationsOf(bench.client, 'dry')).toEqual({});
  expect(await allocator.annotationsFor('dry', false, signal)).toEqual(would);
  expect((await annotationsOf(bench.client, 'dry'))[uidRange]).toBe(would[uidRange]);

  const path = '/api/v1/namespaces/two';
  const range = await seeRange('two');
  const gone = await bench.client.send<object>({ method: 'DELETE', path });
  await bench.client.send({ method: 'PUT', path: `${path}/finalize`, body: { ...gone, spec: { finalizers: [] } } });
  await waitFor(
    async () => ([...namespaces.all()].some(({ metadata }) => metadata.name === 'two') ? undefined : true),
    {
      what: 'the end of a namespace',
      timeoutMs: 10_000,
      intervalMs: 20,
      next: 'see the API server',
    },
  );
  await createNamespace(bench.client, 'heir');
  expect((await allocator.annotationsFor('heir', false, signal))[uidRange]).toBe(range);
  controller.abort();
  webhook.child.kill('SIGCONT');
});

test('while the webhook hangs or is down, pods are admitted: after its timeout, or at once', async () => {
  const time = async () => {
    const begun = performance.now();
    const { spec } = await createPod(bench.client, 'team');
    expect(spec.securityContext).toEqual({ runAsNonRoot: true });
    return performance.now() - begun;
  };
  await whenGivingUids(bench.client, 'team', webhook);
  webhook.child.kill('SIGSTOP');
  expect(await time()).toBeLessThan(5_000);
  // Those that need nothing of it do not wait.
  const begun = performance.now();
  await createPod(bench.client, 'team', {});
  expect(performance.now() - begun).toBeLessThan(1_500);
  webhook.child.kill('SIGKILL');
  await webhook.ended;
  expect(await time()).toBeLessThan(1_500);
});

test('a configuration that is applied again keeps the authority, and one that is made anew is given it', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/admission-webhook';
  type Configuration = { readonly metadata: object; readonly webhooks: readonly { readonly clientConfig: object }[] };
  const bundles = async () => {
    const { webhooks } = await bench.client.send<Configuration>({ method: 'GET', path });
    return webhooks.map(({ clientConfig }) => ('caBundle' in clientConfig ? clientConfig.caBundle : undefined));
  };
  const [before] = await bundles();
  expect(before).toBeTypeOf('string');
  await bench.apply({ uids: 'openshift', placement: false });
  expect(await bundles()).toEqual([before]);
  webhook = bench.run('--uids=openshift');
  await bench.configure({ uids: 'openshift', placement: false });
  await whenGivingUids(bench.client, 'team', webhook);
  expect(await bundles()).toEqual([before]);
  webhook.child.kill('SIGKILL');
  await webhook.ended;
});

const secretPath = '/api/v1/namespaces/hollow-nodes/secrets/admission-webhook-tls';

/** As a service leaves it that was down for long. */
const putExpiredCertificate = async (): Promise<string> => {
  const hour = 3_600_000;
  const wish = { names: ['127.0.0.1'], lifeMs: hour };
  const texts = renderMaterial(await renewMaterial(noMaterial, wish, Date.now() - 24 * hour));
  const data = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, btoa(text)]));
  await bench.client.send({
    method: 'PATCH',
    path: secretPath,
    body: { data },
    contentType: 'application/merge-patch+json',
  });
  return data['tls.crt'] ?? '';
};

const seeCertificateReplaced = (expired: string): Promise<string> =>
  waitFor(
    async () => {
      const { data } = await bench.client.send<{ data: Record<string, string> }>({ method: 'GET', path: secretPath });
      return data['tls.crt'] === expired ? undefined : data['tls.crt'];
    },
    { what: 'another certificate', timeoutMs: 10_000, intervalMs: 20, next: webhook.said() },
  );

test('a certificate that expired while the webhook was down is replaced before it serves, another one at once', async () => {
  let expired = await putExpiredCertificate();
  webhook = bench.run('--uids=openshift');
  await whenGivingUids(bench.client, 'team', webhook);
  await seeCertificateReplaced(expired);
  expect(webhook.said()).toContain('"expired":true');
  expired = await putExpiredCertificate();
  await seeCertificateReplaced(expired);
  await whenGivingUids(bench.client, 'team', webhook);
});

test('it may read its own Secret and no other one', async () => {
  const path = '/api/v1/namespaces/hollow-nodes/secrets';
  await bench.own.send({ method: 'GET', path: `${path}/admission-webhook-tls` });
  await expect(bench.own.send({ method: 'GET', path })).rejects.toMatchObject({ code: 403 });
  await expect(bench.own.send({ method: 'GET', path: `${path}/other` })).rejects.toMatchObject({ code: 403 });
});

test('told to end, it ends at once; started for random UIDs, it gives each pod another one', async () => {
  const told = performance.now();
  webhook.child.kill('SIGTERM');
  expect(await webhook.ended).toEqual([0, '']);
  expect(performance.now() - told).toBeLessThan(2_000);
  webhook = bench.run('--uids=random');
  await whenGivingUids(bench.client, 'team', webhook);
  const created = await Promise.all(Array.from({ length: 5 }, () => createPod(bench.client, 'team')));
  const uids = created.map(({ spec }) => spec.securityContext?.runAsUser ?? 0);
  expect(new Set(uids).size).toBe(5);
  for (const uid of uids) expect(uid >= 1_000_000_000 && uid <= 1_999_999_999).toBe(true);
  expect(created[0]?.spec.securityContext).not.toHaveProperty('fsGroup');
});
