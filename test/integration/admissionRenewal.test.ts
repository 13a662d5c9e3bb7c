import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AdmissionBench,
  createNamespace,
  createPod,
  startAdmissionBench,
  whenGivingUids,
} from './admissionRun.ts';

let bench: AdmissionBench;

beforeAll(async () => {
  bench = await startAdmissionBench();
  await createNamespace(bench.client, 'team');
  await bench.configure({ uids: 'openshift', placement: false });
});

afterAll(() => bench.stop());

const texts = async (): Promise<Readonly<Record<string, string>>> => {
  const path = '/api/v1/namespaces/hollow-nodes/secrets/admission-webhook-tls';
  const { data } = await bench.client.send<{ data: Record<string, string> }>({ method: 'GET', path });
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, atob(value)]));
};

const authorityOf = async (): Promise<X509Certificate> => new X509Certificate((await texts())['ca.crt'] ?? '');

test('certificate and authority are renewed under load, and no pod misses its UID', async () => {
  const webhook = bench.run('--uids=openshift', '--certificate-life=6s');
  await whenGivingUids(bench.client, 'team', webhook);
  const first = await authorityOf();
  const serving = new Set<string>();
  const deadline = performance.now() + 60_000;
  let created = 0;
  let signedByNext = false;
  while (!signedByNext && performance.now() < deadline) {
    const { spec } = await createPod(bench.client, 'team');
    expect(spec.securityContext, `pod ${created}, ${webhook.said()}`).toHaveProperty('runAsUser');
    created += 1;
    const certificate = new X509Certificate((await texts())['tls.crt'] ?? '');
    serving.add(certificate.serialNumber);
    signedByNext = !certificate.verify(first.publicKey);
  }
  expect(signedByNext).toBe(true);
  expect(serving.size).toBeGreaterThan(3);
  for (let i = 0; i < 50; i++)
    expect((await createPod(bench.client, 'team')).spec.securityContext).toHaveProperty('runAsUser');
  const port = /"metricsPort":(\d+)/.exec(webhook.said())?.[1];
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).not.toMatch(/outcome="(failed|malformed|warned)"/);
  const expiry = Number(/^admission_webhook_certificate_expiry_timestamp_seconds (\d+)/m.exec(metrics)?.[1]);
  expect(expiry * 1000).toBeGreaterThan(Date.now());
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
});
