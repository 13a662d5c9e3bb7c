import { expect, test } from 'vitest';
import { type DaemonSetObject, keepOffPatch } from './daemonSets.ts';

const daemonSet = (nodeSelectorTerms?: readonly object[]): DaemonSetObject => ({
  metadata: { name: 'kube-proxy' },
  spec: {
    template: {
      spec:
        nodeSelectorTerms === undefined
          ? {}
          : { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } },
    },
  },
});

const patched = (nodeSelectorTerms: readonly object[]) => ({
  spec: {
    template: {
      spec: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } },
    },
  },
});

const keepsOff = { key: 'spoofed', operator: 'NotIn', values: ['true'] };

test('a DaemonSet that is for every node is for real ones alone then', () => {
  expect(keepOffPatch(daemonSet())).toEqual(patched([{ matchExpressions: [keepsOff] }]));
});

test('one that chooses its nodes chooses among the real ones', () => {
  const linux = { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] };
  const name = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] };
  expect(keepOffPatch(daemonSet([{ matchExpressions: [linux] }, name]))).toEqual(
    patched([{ matchExpressions: [linux, keepsOff] }, { ...name, matchExpressions: [keepsOff] }]),
  );
});

test('one that says something of hollow nodes is left alone', () => {
  expect(keepOffPatch(daemonSet([{ matchExpressions: [keepsOff] }]))).toBeUndefined();
});
