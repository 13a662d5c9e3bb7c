import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { judgeRequest, kubeletSigner, type NodePod, type SigningRequest } from './request.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
let keys: Awaited<ReturnType<typeof webcrypto.subtle.generateKey>>;

beforeAll(async () => {
  keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
});

const csr = async (name: x509.JsonName, extensions: x509.Extension[] = []): Promise<string> => {
  if (!('privateKey' in keys)) throw new Error('no pair of keys');
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: algorithm,
    extensions,
  });
  return Buffer.from(request.toString('pem')).toString('base64');
};

const nodeName = (node: string): x509.JsonName => [{ O: ['system:nodes'] }, { CN: [`system:node:${node}`] }];

const pod = (more: Partial<NodePod['metadata']> = {}): NodePod => ({
  metadata: {
    name: 'hollow-small-0',
    uid: 'uid-0',
    ownerReferences: [{ kind: 'StatefulSet', name: 'hollow-small', controller: true }],
    ...more,
  },
});

const request = async (spec: Partial<SigningRequest['spec']> = {}): Promise<SigningRequest> => ({
  metadata: { name: 'node-csr-1' },
  spec: {
    request: await csr(nodeName('hollow-small-0')),
    signerName: kubeletSigner,
    username: 'system:serviceaccount:hollow-nodes:hollow-node',
    usages: ['digital signature', 'client auth'],
    extra: {
      'authentication.kubernetes.io/pod-name': ['hollow-small-0'],
      'authentication.kubernetes.io/pod-uid': ['uid-0'],
    },
    ...spec,
  },
});

const judge = async (spec: Partial<SigningRequest['spec']> = {}, pods: readonly NodePod[] = [pod()]) =>
  judgeRequest(await request(spec), pods, ['small']);

test('a pod of a group gets the identity of the node of its own name', async () => {
  expect(await judge()).toEqual({ verdict: 'approve' });
});

describe('it does not get', () => {
  test('the identity of another node', async () => {
    const asked = await csr(nodeName('local-control-plane'));
    expect(await judge({ request: asked })).toEqual({
      verdict: 'deny',
      why: "pod hollow-small-0 asks to be 'system:node:local-control-plane'; it may be system:node:hollow-small-0 alone",
    });
  });

  test('a further name beside its own', async () => {
    const asked = await csr([
      { O: ['system:nodes'] },
      { CN: ['system:node:hollow-small-0'] },
      { CN: ['system:admin'] },
    ]);
    expect(await judge({ request: asked })).toMatchObject({ verdict: 'deny' });
  });

  test('another group', async () => {
    const asked = await csr([{ O: ['system:nodes', 'system:masters'] }, { CN: ['system:node:hollow-small-0'] }]);
    expect(await judge({ request: asked })).toMatchObject({ verdict: 'deny', why: /organization/ });
  });

  test('names of a server', async () => {
    const names = new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'kubernetes' }]);
    const asked = await csr(nodeName('hollow-small-0'), [names]);
    expect(await judge({ request: asked })).toMatchObject({ verdict: 'deny', why: /more than a subject/ });
  });

  test('the usage of a server', async () => {
    expect(await judge({ usages: ['server auth', 'client auth'] })).toMatchObject({
      verdict: 'deny',
      why: /server auth/,
    });
  });

  test('anything by what is no request', async () => {
    expect(await judge({ request: 'bm9uc2Vuc2U=' })).toMatchObject({ verdict: 'deny', why: /no certificate request/ });
  });
});

describe('nor does', () => {
  test('a token that is bound to no pod', async () => {
    expect(await judge({ extra: {} })).toMatchObject({ verdict: 'deny', why: /not bound to a pod/ });
  });

  test('a pod that is there no more, by a token that somebody kept', async () => {
    expect(await judge({}, [pod({ uid: 'uid-1' })])).toMatchObject({ verdict: 'deny', why: /another pod/ });
  });

  test('a pod that is of no StatefulSet of a group', async () => {
    expect(await judge({}, [pod({ ownerReferences: [] })])).toMatchObject({ verdict: 'deny', why: /no group/ });
    const other = { kind: 'StatefulSet', name: 'hollow-other', controller: true };
    expect(await judge({}, [pod({ ownerReferences: [other] })])).toMatchObject({ verdict: 'deny', why: /no group/ });
  });
});

describe('undecided stays', () => {
  test('what another account asks for', async () => {
    expect(await judge({ username: 'system:node:local-control-plane' })).toEqual({ verdict: 'none' });
  });

  test('what another signer is asked for', async () => {
    expect(await judge({ signerName: 'kubernetes.io/kube-apiserver-client' })).toEqual({ verdict: 'none' });
  });

  test('what has been decided', async () => {
    const decided = { ...(await request()), status: { conditions: [{ type: 'Denied' }] } };
    expect(judgeRequest(decided, [pod()], ['small'])).toEqual({ verdict: 'none' });
  });

  test('what a pod asks for that has not been seen yet', async () => {
    expect(await judge({}, [])).toEqual({ verdict: 'none' });
  });
});
