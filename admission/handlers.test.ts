import { describe, expect, it } from 'vitest';
import { Failure } from '../common/failure.ts';
import { parseFlags } from './flags.ts';
import { namespaceHandler } from './namespaces/handler.ts';
import { placementHandler } from './placementHandler.ts';
import type { AdmissionRequest } from './review.ts';
import { bundlePatch } from './tls/caBundle.ts';
import { uidHandler } from './uids/handler.ts';

const { signal } = new AbortController();
const asked = (more: Partial<AdmissionRequest>): AdmissionRequest => ({
  uid: 'u',
  kind: { kind: 'Pod' },
  operation: 'CREATE',
  subResource: '',
  namespace: 'team',
  dryRun: false,
  object: undefined,
  oldObject: undefined,
  ...more,
});

describe('UIDs', () => {
  const pod = { spec: { containers: [{ name: 'a', securityContext: { runAsNonRoot: true } }] } };
  const handler = uidHandler(async () => ({ uid: 5 }));

  it('are given to pods of users alone', async () => {
    expect(await handler(asked({ object: pod }), signal)).toHaveProperty('patch');
    for (const namespace of ['default', 'kube-system', 'kube-public', 'openshift', 'openshift-etcd', 'hollow-nodes']) {
      expect(await handler(asked({ object: pod, namespace }), signal)).toEqual({});
    }
    expect(await handler(asked({ object: pod, operation: 'UPDATE' }), signal)).toEqual({});
    expect(await handler(asked({ object: pod, kind: { kind: 'Deployment' } }), signal)).toEqual({});
  });

  it('are missed by a pod that is admitted with a warning, where nobody can tell which', async () => {
    const failing = uidHandler(async () => {
      throw new Error('no range');
    });
    expect(await failing(asked({ object: pod }), signal)).toEqual({
      warnings: ['admission-webhook: the pod gets no UID: no range'],
    });
  });

  it('are asked for no pod that needs none', async () => {
    const never = uidHandler(() => expect.unreachable());
    expect(await never(asked({ object: { spec: { containers: [{ name: 'a' }] } } }), signal)).toEqual({});
  });
});

describe('a namespace', () => {
  const handler = namespaceHandler((text) => (text.includes('(') ? [`has no expression in '${text}'`] : []));
  const namespace = (annotations?: object, labels?: object) => ({ metadata: { name: 'n', annotations, labels } });
  const change = (object: object, oldObject?: object) =>
    handler(asked({ kind: { kind: 'Namespace' }, object, oldObject }), signal);

  it.each([
    [
      namespace({ spoofed: 'true' }),
      [{ op: 'add', path: '/metadata/labels', value: { 'understudy.dev/spoofed': 'true' } }],
    ],
    [
      namespace({ spoofed: 'true' }, { a: 'b' }),
      [{ op: 'add', path: '/metadata/labels/understudy.dev~1spoofed', value: 'true' }],
    ],
    [namespace({ spoofed: 'true' }, { 'understudy.dev/spoofed': 'true' }), []],
    [
      namespace({ spoofed: 'no' }, { 'understudy.dev/spoofed': 'true' }),
      [{ op: 'remove', path: '/metadata/labels/understudy.dev~1spoofed' }],
    ],
    [namespace(undefined, undefined), []],
  ])('has its label in step with its annotation: %j', async (object, patch) => {
    expect(await change(object)).toEqual({ patch });
  });

  it('is refused invalid expressions, and can change where they are there already', async () => {
    const invalid = namespace({ spoofed_excluded_pods: '(' });
    expect(await change(invalid)).toEqual({ refused: "annotation spoofed_excluded_pods has no expression in '('" });
    expect(await change(invalid, namespace({ spoofed_excluded_pods: 'x' }))).toHaveProperty('refused');
    expect(await change(invalid, invalid)).toEqual({ patch: [] });
  });
});

describe('placement', () => {
  const namespaces = { get: async (name: string) => ({ metadata: { name } }) };
  const rules = {
    placePod: () => [{ op: 'add', path: '/pod', value: 1 }] as const,
    placeDaemonSet: () => {
      throw new Failure({ tried: 'place', got: 'no', next: 'correct it' });
    },
  };
  const handler = placementHandler(rules, namespaces);

  it('is decided by kind, and a failure of the rules is a refusal', async () => {
    expect(await handler(asked({ object: {} }), signal)).toEqual({ patch: [{ op: 'add', path: '/pod', value: 1 }] });
    expect(await handler(asked({ object: {}, kind: { kind: 'DaemonSet' } }), signal)).toEqual({
      refused: 'could not place: no\n  next: correct it',
    });
    expect(await handler(asked({ object: {}, kind: { kind: 'Job' } }), signal)).toEqual({});
    expect(await handler(asked({ object: {}, subResource: 'status' }), signal)).toEqual({});
  });
});

it('has those webhooks trust the authority that do not yet, and checks that they are the same', () => {
  const webhooks = [
    { name: 'a', clientConfig: { caBundle: 'old' } },
    { name: 'b', clientConfig: { caBundle: 'new' } },
    { name: 'c', clientConfig: {} },
  ];
  expect(bundlePatch({ webhooks }, 'new')).toEqual([
    { op: 'test', path: '/webhooks/0/name', value: 'a' },
    { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: 'new' },
    { op: 'test', path: '/webhooks/2/name', value: 'c' },
    { op: 'add', path: '/webhooks/2/clientConfig/caBundle', value: 'new' },
  ]);
});

describe('flags', () => {
  it('have defaults for a pod', () => {
    expect(parseFlags(['-uids=random'])).toEqual({
      uids: 'random',
      placement: false,
      address: { host: undefined, port: 8443 },
      metricsAddress: undefined,
      names: ['admission-webhook.hollow-nodes.svc'],
      certificateLifeMs: 720 * 3_600_000,
      logLevel: 'info',
    });
    expect(parseFlags(['--help'])).toBe('help');
  });

  it.each([
    [[], 'neither UIDs nor placement'],
    [['--uids=some'], 'give off or openshift or random'],
    [['--placement', '--certificate-life=4s'], 'between 5s and ten years'],
    [['--placement', '--certificate-life=soon'], 'between 5s and ten years'],
    [['--placement', '--serving-names=a,,b'], 'one of them is no name'],
    [['--placement', '--listen-addr=8443'], 'it is not host:port'],
    [['--other'], "Unknown option '--other'"],
  ])('are refused: %j', (args, message) => expect(() => parseFlags(args)).toThrow(message));
});
