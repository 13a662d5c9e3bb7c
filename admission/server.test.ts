import { type RequestOptions, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLog } from '../common/log.ts';
import type { AdmissionRequest, Verdict } from './review.ts';
import { type AdmissionServer, type Outcome, serveAdmission } from './server.ts';
import { bundleOf, noMaterial, renewMaterial, type TlsMaterial } from './tls/material.ts';

const wish = { names: ['127.0.0.1'], lifeMs: 3_600_000 };
const log = createLog('silent');
let material: TlsMaterial;
let server: AdmissionServer;
const outcomes: (readonly [string, Outcome])[] = [];
let handle: (asked: AdmissionRequest, deadline: AbortSignal) => Promise<Verdict> = async () => ({});

beforeAll(async () => {
  material = await renewMaterial(noMaterial, wish, Date.now());
  if (material.serving === undefined) throw new Error('no certificate');
  server = await serveAdmission({
    address: { host: '127.0.0.1', port: 0 },
    serving: material.serving,
    handlers: new Map([['/uids', (asked, deadline) => handle(asked, deadline)]]),
    answered: (path, outcome) => outcomes.push([path, outcome]),
    log,
  });
});
afterAll(() => server.close());

const ask = (path: string, body: string, options: RequestOptions = {}) =>
  new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port: server.port, path, method: 'POST', ca: bundleOf(material), agent: false, ...options },
      (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });

const review = (request: object = {}) =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u', kind: { group: '', version: 'v1', kind: 'Pod' }, operation: 'CREATE', ...request },
  });

it.each([
  ['', 'the body is no JSON'],
  ['{', 'the body is no JSON'],
  ['null', 'the body is no AdmissionReview of admission.k8s.io/v1'],
  ['{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1"}', 'no AdmissionReview of admission.k8s.io/v1'],
  ['{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}', 'has no request'],
  [review({ uid: '' }), 'request.uid is missing'],
  [review({ uid: 5 }), 'request.uid is no string'],
  [review({ kind: 'Pod' }), 'request.kind is missing'],
])('refuses what is no review, and says why: %j', async (body, message) => {
  const answer = await ask('/uids', body);
  expect(answer.status).toBe(400);
  expect(answer.body).toContain(message);
  expect(outcomes.at(-1)).toEqual(['/uids', 'malformed']);
});

it('refuses a body that does not end', async () => {
  const answer = await ask('/uids', ' '.repeat(8 * 1024 * 1024 + 1)).catch((error: unknown) => error);
  // It is told so, unless it was still writing when the connection ended.
  if (!(answer instanceof Error)) expect(answer).toMatchObject({ status: 413 });
  expect(outcomes.at(-1)).toEqual(['/uids', 'malformed']);
});

it.each([
  ['/other', 'POST', 404],
  ['/uids', 'GET', 405],
])('answers %s by %s with %d', async (path, method, status) => {
  expect((await ask(path, '', { method })).status).toBe(status);
});

it('answers with patch, warnings or refusal', async () => {
  const verdicts: readonly (readonly [Verdict, object, Outcome])[] = [
    [{}, { uid: 'u', allowed: true }, 'unchanged'],
    [{ warnings: ['w'] }, { uid: 'u', allowed: true, warnings: ['w'] }, 'warned'],
    [
      { refused: 'why' },
      { uid: 'u', allowed: false, status: { code: 403, reason: 'Forbidden', message: 'why' } },
      'refused',
    ],
    [
      { patch: [{ op: 'remove', path: '/a' }] },
      { uid: 'u', allowed: true, patchType: 'JSONPatch', patch: btoa('[{"op":"remove","path":"/a"}]') },
      'patched',
    ],
  ];
  for (const [verdict, response, outcome] of verdicts) {
    handle = async () => verdict;
    const answer = await ask('/uids', review());
    expect(JSON.parse(answer.body)).toEqual({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
    expect(outcomes.at(-1)).toEqual(['/uids', outcome]);
  }
});

it('fails one request with what was wrong, and goes on', async () => {
  handle = async () => {
    throw new Error('out of order');
  };
  expect(await ask('/uids', review())).toEqual({ status: 500, body: 'out of order\n' });
  handle = async () => ({});
  expect((await ask('/uids', review())).status).toBe(200);
});

it('gives up before the API server does', async () => {
  handle = (_, deadline) =>
    new Promise((resolve) => {
      deadline.addEventListener('abort', () => resolve({ warnings: ['late'] }), { once: true });
    });
  const begun = performance.now();
  expect((await ask('/uids?timeout=500ms', review())).body).toContain('late');
  expect(performance.now() - begun).toBeLessThan(500);
});

it('speaks no TLS older than 1.2', async () => {
  const refused = new Promise((_, reject) => {
    connect({
      host: '127.0.0.1',
      port: server.port,
      ca: bundleOf(material),
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    }).on('error', reject);
  });
  await expect(refused).rejects.toThrow();
});

it('serves a new certificate without a break', async () => {
  const other = await renewMaterial(noMaterial, wish, Date.now());
  if (other.serving === undefined || material.serving === undefined) throw new Error('no certificate');
  handle = async () => ({});
  server.use(other.serving);
  await expect(ask('/uids', review())).rejects.toThrow();
  expect((await ask('/uids', review(), { ca: bundleOf(other) })).status).toBe(200);
  server.use(material.serving);
  expect((await ask('/uids', review())).status).toBe(200);
});
