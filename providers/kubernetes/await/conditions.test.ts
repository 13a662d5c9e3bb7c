import { describe, expect, test } from 'vitest';
import type { PropertyMap } from '../../protocol/values.ts';
import { conditionFor } from './conditions.ts';
import { endpointsReady, targetsPods } from './endpoints.ts';
import type { Verdict } from './verdict.ts';

const judge = (type: string, object: PropertyMap): Verdict | undefined => {
  const slash = type.lastIndexOf('/');
  return conditionFor({ apiVersion: type.slice(0, slash), kind: type.slice(slash + 1) })?.(object);
};

const ready: Verdict = { state: 'ready' };
const generation = { metadata: { generation: 2 } };
const condition = (type: string, status: string, reason = '', message = ''): PropertyMap => ({
  type,
  status,
  reason,
  message,
});

type Case = readonly [name: string, object: PropertyMap, expected: Verdict | RegExp];

const table = (type: string, cases: readonly Case[]): void => {
  describe(type, () => {
    test.each(cases)('%s', (_name, object, expected) => {
      const verdict = judge(type, object);
      if (expected instanceof RegExp) {
        expect(verdict?.state).toBe('waiting');
        expect(verdict).toMatchObject({ message: expect.stringMatching(expected) });
      } else expect(verdict).toEqual(expected);
    });
  });
};

const deployment = (status: PropertyMap, replicas = 2): PropertyMap => ({ ...generation, spec: { replicas }, status });
const rolledOut = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

table('apps/v1/Deployment', [
  ['just created', deployment({}), /has not seen it/],
  ['changed since the controller looked', deployment({ ...rolledOut, observedGeneration: 1 }), /has not seen it/],
  ['rolling out', deployment({ ...rolledOut, updatedReplicas: 1 }), /1 of 2 pods are of the new version/],
  ['old pods left', deployment({ ...rolledOut, replicas: 3 }), /1 old pods/],
  ['starting', deployment({ ...rolledOut, availableReplicas: 1 }), /1 of 2 pods are available/],
  [
    'not available',
    deployment({ ...rolledOut, conditions: [condition('Available', 'False', 'No', 'few')] }),
    /No: few/,
  ],
  ['rolled out', deployment({ ...rolledOut, conditions: [condition('Available', 'True')] }), ready],
  ['scaled to nothing', deployment({ observedGeneration: 2 }, 0), ready],
  [
    'stuck',
    deployment({
      observedGeneration: 2,
      conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'late')],
    }),
    { state: 'failed', message: 'ProgressDeadlineExceeded: late' },
  ],
]);

const daemonSet = (status: PropertyMap, strategy = 'RollingUpdate'): PropertyMap => ({
  ...generation,
  spec: { updateStrategy: { type: strategy } },
  status,
});
const everywhere = {
  observedGeneration: 2,
  desiredNumberScheduled: 3,
  currentNumberScheduled: 3,
  updatedNumberScheduled: 3,
  numberAvailable: 3,
  numberReady: 3,
};

table('apps/v1/DaemonSet', [
  ['just created', daemonSet({ desiredNumberScheduled: 0 }), /has not seen it/],
  ['rolling out', daemonSet({ ...everywhere, updatedNumberScheduled: 1 }), /1 of 3 pods are of the new version/],
  ['rolled out by hand', daemonSet({ ...everywhere, updatedNumberScheduled: 1 }, 'OnDelete'), ready],
  ['starting', daemonSet({ ...everywhere, numberReady: 2 }), /2 of 3 pods are ready/],
  ['ready on every node', daemonSet(everywhere), ready],
  ['ready where there is no node', daemonSet({ observedGeneration: 2, desiredNumberScheduled: 0 }), ready],
]);

const statefulSet = (status: PropertyMap, updateStrategy: PropertyMap = {}): PropertyMap => ({
  ...generation,
  spec: { replicas: 2, updateStrategy },
  status,
});
const settled = {
  observedGeneration: 2,
  readyReplicas: 2,
  updatedReplicas: 2,
  currentRevision: 'b',
  updateRevision: 'b',
};

table('apps/v1/StatefulSet', [
  ['just created', statefulSet({}), /has not seen it/],
  ['starting', statefulSet({ ...settled, readyReplicas: 1 }), /1 of 2 pods are ready/],
  ['rolling out', statefulSet({ ...settled, updatedReplicas: 1 }), /1 of 2 pods are of the new version/],
  ['at the end of a roll-out', statefulSet({ ...settled, currentRevision: 'a' }), /not complete/],
  [
    'rolled out as far as its partition',
    statefulSet({ ...settled, updatedReplicas: 1, currentRevision: 'a' }, { rollingUpdate: { partition: 1 } }),
    ready,
  ],
  ['rolled out by hand', statefulSet({ ...settled, updatedReplicas: 0 }, { type: 'OnDelete' }), ready],
  ['rolled out', statefulSet(settled), ready],
]);

table('batch/v1/Job', [
  ['running', { spec: { completions: 3 }, status: { succeeded: 1 } }, /1 of 3 pods have succeeded, 0 failed/],
  ['suspended', { spec: { suspend: true } }, ready],
  ['complete', { status: { conditions: [condition('Complete', 'True')] } }, ready],
  [
    'failed',
    { status: { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded', 'too often')] } },
    { state: 'failed', message: 'BackoffLimitExceeded: too often' },
  ],
]);

const waitingContainer = {
  name: 'c',
  ready: false,
  state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } },
};

table('v1/Pod', [
  ['just created', {}, /not ready/],
  [
    'not scheduled',
    { status: { conditions: [condition('PodScheduled', 'False', 'Unschedulable', 'no node')] } },
    /Unschedulable: no node/,
  ],
  [
    'without its image',
    { status: { containerStatuses: [waitingContainer] } },
    /container c: ErrImagePull: no such image/,
  ],
  [
    'crashing',
    {
      status: {
        containerStatuses: [{ name: 'c', ready: false, state: { terminated: { reason: 'Error', exitCode: 3 } } }],
      },
    },
    /container c: Error \(exit code 3\)/,
  ],
  ['ready', { status: { conditions: [condition('Ready', 'True')] } }, ready],
  ['done', { status: { phase: 'Succeeded' } }, ready],
  ['failed', { status: { phase: 'Failed', reason: 'Evicted' } }, { state: 'failed', message: 'Evicted' }],
]);

table('v1/PersistentVolumeClaim', [
  ['pending', { status: { phase: 'Pending' } }, /the claim is Pending/],
  ['bound', { status: { phase: 'Bound' } }, ready],
]);

table('v1/PersistentVolume', [
  ['just created', {}, /the volume is Pending/],
  ['available', { status: { phase: 'Available' } }, ready],
]);

table('v1/Secret', [
  ['any', { type: 'Opaque' }, ready],
  ['of a token not issued yet', { type: 'kubernetes.io/service-account-token' }, /not issued/],
  ['of a token', { type: 'kubernetes.io/service-account-token', data: { token: 'x' } }, ready],
]);

table('apiextensions.k8s.io/v1/CustomResourceDefinition', [
  ['just created', {}, /does not serve it yet/],
  [
    'whose names are taken',
    { status: { conditions: [condition('NamesAccepted', 'False', 'Taken', 'x')] } },
    /Taken: x/,
  ],
  ['established', { status: { conditions: [condition('Established', 'True')] } }, ready],
]);

table('v1/Service', [
  ['any', { spec: { type: 'ClusterIP' } }, ready],
  ['waiting for its balancer', { spec: { type: 'LoadBalancer' } }, /no load balancer/],
  [
    'with its balancer',
    { spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } },
    ready,
  ],
]);

test('kinds without a rule are ready as soon as they are stored', () => {
  for (const type of ['v1/ConfigMap', 'v1/Namespace', 'discovery.k8s.io/v1/EndpointSlice', 'example.com/v1/Thing']) {
    expect(judge(type, {})).toBeUndefined();
  }
});

describe('endpoints of a service', () => {
  const slice = (...states: (boolean | undefined)[]): PropertyMap => ({
    endpoints: states.map((state): PropertyMap => ({ conditions: state === undefined ? {} : { ready: state } })),
  });

  test.each<[string, PropertyMap[], Verdict | string]>([
    ['none at all', [], 'its selector finds no pods'],
    ['an empty slice', [{ endpoints: null }], 'its selector finds no pods'],
    ['some not ready', [slice(true, false), slice(true)], '1 of its 3 pods are not ready'],
    ['all ready, one without saying so', [slice(true, undefined)], ready],
  ])('%s', (_name, slices, expected) => {
    expect(endpointsReady(slices)).toEqual(
      typeof expected === 'string' ? { state: 'waiting', message: expected } : expected,
    );
  });

  test.each<[string, PropertyMap, boolean]>([
    ['one with a selector', { selector: { a: 'b' } }, true],
    ['one without', {}, false],
    ['a headless one', { selector: { a: 'b' }, clusterIP: 'None' }, false],
    ['a name for another host', { selector: { a: 'b' }, type: 'ExternalName' }, false],
  ])('%s: whether it is waited for is clear', (_name, spec, expected) => {
    expect(targetsPods({ spec })).toBe(expected);
  });
});
